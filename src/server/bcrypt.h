// Bcrypt: whether a password is the one behind a hash of web-config's basic_auth_users.
//
// Threads: thread-safe.

#pragma once

#include <string>
#include <string_view>

#include "base/status.h"

namespace gauntlet::server {

// kInvalid unless it is "$2a$", "$2b$" or "$2y$", a cost and 53 characters.
Status CheckBcryptHash(std::string_view hash);

// Takes the time that the hash's cost asks for: about 60 ms at 10. REQUIRES: CheckBcryptHash(hash).ok()
bool MatchesBcrypt(const std::string& password, const std::string& hash);

}  // namespace gauntlet::server
