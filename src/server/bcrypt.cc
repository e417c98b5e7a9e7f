#include "server/bcrypt.h"

#include <crypt.h>

#include <cstring>
#include <memory>

namespace gauntlet::server {

Status CheckBcryptHash(std::string_view hash) {
  constexpr std::string_view kAlphabet = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  auto digit = [&](size_t i) { return hash[i] >= '0' && hash[i] <= '9'; };
  bool ok = hash.size() == 60 && (hash.starts_with("$2a$") || hash.starts_with("$2b$") || hash.starts_with("$2y$")) &&
            digit(4) && digit(5) && hash[6] == '$' &&
            hash.substr(7).find_first_not_of(kAlphabet) == std::string_view::npos;
  int cost = ok ? (hash[4] - '0') * 10 + (hash[5] - '0') : 0;
  if (!ok || cost < 4 || cost > 31) return Status(Code::kInvalid, "password is not a bcrypt hash");
  return Status();
}

bool MatchesBcrypt(const std::string& password, const std::string& hash) {
  if (password.find('\0') != std::string::npos) return false;  // crypt would see the part before it
  auto data = std::make_unique<crypt_data>();                  // 32 KiB: not for the stack
  const char* made = crypt_r(password.c_str(), hash.c_str(), data.get());
  if (made == nullptr || std::strlen(made) != hash.size()) return false;
  unsigned different = 0;  // all bytes are looked at, so that the time says nothing
  for (size_t i = 0; i < hash.size(); ++i) {
    different |= static_cast<unsigned char>(made[i]) ^ static_cast<unsigned char>(hash[i]);
  }
  return different == 0;
}

}  // namespace gauntlet::server
