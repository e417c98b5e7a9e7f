#include "objstore/sign.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>

#include "base/check.h"

namespace gauntlet::objstore {
namespace {

const unsigned char* Bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

std::string Hmac(const EVP_MD* hash, std::string_view key, std::string_view text) {
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  GN_CHECK(HMAC(hash, key.data(), static_cast<int>(key.size()), Bytes(text), text.size(), out, &size) != nullptr);
  return std::string(reinterpret_cast<char*>(out), size);
}

std::string Digest(const EVP_MD* hash, std::string_view bytes) {
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  GN_CHECK(EVP_Digest(bytes.data(), bytes.size(), out, &size, hash, nullptr) == 1);
  return std::string(reinterpret_cast<char*>(out), size);
}

}  // namespace

std::string HmacSha256(std::string_view key, std::string_view text) { return Hmac(EVP_sha256(), key, text); }
std::string HmacSha1(std::string_view key, std::string_view text) { return Hmac(EVP_sha1(), key, text); }
std::string Sha1(std::string_view bytes) { return Digest(EVP_sha1(), bytes); }
std::string Md5Bytes(std::string_view bytes) { return Digest(EVP_md5(), bytes); }

struct Md5Stream::Rep {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ~Rep() { EVP_MD_CTX_free(context); }
};

Md5Stream::Md5Stream() : rep_(std::make_unique<Rep>()) {
  GN_CHECK(rep_->context != nullptr && EVP_DigestInit_ex(rep_->context, EVP_md5(), nullptr) == 1);
}
Md5Stream::~Md5Stream() = default;

void Md5Stream::Append(std::string_view bytes) {
  GN_CHECK(EVP_DigestUpdate(rep_->context, bytes.data(), bytes.size()) == 1);
}

std::string Md5Stream::Finish() {
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  GN_CHECK(EVP_DigestFinal_ex(rep_->context, out, &size) == 1);
  return std::string(reinterpret_cast<char*>(out), size);
}

std::string Base64(std::string_view bytes) {
  std::string out((bytes.size() + 2) / 3 * 4, '\0');
  std::string buffer(out.size() + 1, '\0');  // it writes a zero at the end
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(buffer.data()), Bytes(bytes), static_cast<int>(bytes.size()));
  return buffer.substr(0, out.size());
}

std::string Base64Url(std::string_view bytes) {
  std::string out = Base64(bytes);
  while (out.ends_with('=')) out.pop_back();
  for (char& c : out) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return out;
}

Result<std::string> Base64Decode(std::string_view text) {
  std::string out(text.size() / 4 * 3 + 3, '\0');
  int n = text.size() % 4 != 0 ? -1
                               : EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()), Bytes(text),
                                                 static_cast<int>(text.size()));
  if (n < 0) return Status(Code::kInvalid, "malformed base64");
  size_t padding = text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0;
  out.resize(static_cast<size_t>(n) - padding);
  return out;
}

Result<std::string> SignRsaSha256(std::string_view pem, std::string_view passphrase, std::string_view text) {
  std::string secret(passphrase);
  BIO* memory = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  EVP_PKEY* key = PEM_read_bio_PrivateKey(memory, nullptr, nullptr, secret.empty() ? nullptr : secret.data());
  BIO_free(memory);
  if (key == nullptr) return Status(Code::kInvalid, "the private key cannot be read");
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  std::string out(static_cast<size_t>(EVP_PKEY_size(key)), '\0');
  size_t size = out.size();
  bool done =
      EVP_DigestSignInit(context, nullptr, EVP_sha256(), nullptr, key) == 1 &&
      EVP_DigestSign(context, reinterpret_cast<unsigned char*>(out.data()), &size, Bytes(text), text.size()) == 1;
  EVP_MD_CTX_free(context);
  EVP_PKEY_free(key);
  if (!done) return Status(Code::kInvalid, "the private key cannot sign");
  out.resize(size);
  return out;
}

}  // namespace gauntlet::objstore
