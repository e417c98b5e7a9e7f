// Url: the parts of an http or https URL, and paths joined below it.
//
// Threads: a value.

#pragma once

#include <string>
#include <string_view>

#include "base/status.h"

namespace gauntlet::net {

struct Url {
  std::string scheme;              // lower case
  std::string username, password;  // percent-decoded
  std::string host;                // lower case, without the brackets of an IPv6 address
  int port = 0;                    // 0 = not given
  std::string path;                // as written (still escaped); "" or "/..."
  std::string query;               // raw, without '?'

  // kInvalid, with a text that hides the password, when `text` has no http(s) scheme or no host, or a part is
  // malformed. A fragment is dropped.
  static Result<Url> Parse(std::string_view text);

  // The port given, or the scheme's own.
  int EffectivePort() const;
  // "host", "host:9090", "[::1]:9090": what a Host header says.
  std::string Authority() const;
  std::string ToString() const;
  // The same without user and password: for logs and errors.
  std::string ToPublicString() const;
  // "http://h/prom" + "/api/v1/query" -> "http://h/prom/api/v1/query"; the query goes. Exactly one slash between.
  Url Join(std::string_view more) const;
};

// Splits "host:port", ":port", "[::1]:port" as Go's net.SplitHostPort; kInvalid without a port or above 65535.
Status SplitHostPort(std::string_view text, std::string* host, std::string* port);
// Brackets around what holds a colon.
std::string JoinHostPort(std::string_view host, std::string_view port);

}  // namespace gauntlet::net
