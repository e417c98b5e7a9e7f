// What signatures are made of: keyed hashes, MD5, base64, RSA.
//
// Threads: free functions; Md5Stream is for one thread at a time.

#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"

namespace gauntlet::objstore {

// Raw bytes.
std::string HmacSha256(std::string_view key, std::string_view text);
std::string HmacSha1(std::string_view key, std::string_view text);
std::string Sha1(std::string_view bytes);

class Md5Stream {
 public:
  Md5Stream();
  ~Md5Stream();
  void Append(std::string_view bytes);
  std::string Finish();  // raw; nothing may be appended afterwards

 private:
  struct Rep;
  std::unique_ptr<Rep> rep_;
};
std::string Md5Bytes(std::string_view bytes);

std::string Base64(std::string_view bytes);
// Without padding, with - and _: of JSON web tokens.
std::string Base64Url(std::string_view bytes);
Result<std::string> Base64Decode(std::string_view text);

// RSASSA-PKCS1-v1_5 with SHA-256 by a private key in PEM; kInvalid for a key that cannot be read.
Result<std::string> SignRsaSha256(std::string_view pem, std::string_view passphrase, std::string_view text);

}  // namespace gauntlet::objstore
