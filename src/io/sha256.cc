#include "io/sha256.h"

#include <openssl/evp.h>

#include "base/check.h"

namespace gauntlet::io {

class Sha256Stream::Rep {
 public:
  Rep() : context(EVP_MD_CTX_new()) {
    GN_CHECK(context != nullptr && EVP_DigestInit_ex(context, EVP_sha256(), nullptr) == 1);
  }
  ~Rep() { EVP_MD_CTX_free(context); }
  Rep(const Rep&) = delete;
  Rep& operator=(const Rep&) = delete;

  EVP_MD_CTX* const context;
};

Sha256Stream::Sha256Stream() : rep_(std::make_unique<Rep>()) {}
Sha256Stream::~Sha256Stream() = default;

void Sha256Stream::Append(std::string_view bytes) {
  GN_CHECK(EVP_DigestUpdate(rep_->context, bytes.data(), bytes.size()) == 1);
}

Sha256Digest Sha256Stream::Finish() {
  Sha256Digest digest;
  unsigned size = 0;
  GN_CHECK(EVP_DigestFinal_ex(rep_->context, digest.data(), &size) == 1 && size == digest.size());
  return digest;
}

Sha256Digest Sha256(std::string_view bytes) {
  Sha256Stream stream;
  stream.Append(bytes);
  return stream.Finish();
}

std::string HexText(std::string_view bytes) {
  std::string hex;
  hex.reserve(2 * bytes.size());
  for (char c : bytes) {
    hex.push_back("0123456789abcdef"[static_cast<uint8_t>(c) >> 4]);
    hex.push_back("0123456789abcdef"[static_cast<uint8_t>(c) & 15]);
  }
  return hex;
}

std::string HexText(const Sha256Digest& digest) {
  return HexText(std::string_view(reinterpret_cast<const char*>(digest.data()), digest.size()));
}

std::string Sha256Hex(std::string_view bytes) { return HexText(Sha256(bytes)); }

}  // namespace gauntlet::io
