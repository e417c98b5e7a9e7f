#include "objstore/rest/request.h"

#include "net/text.h"

namespace gauntlet::objstore {

std::string AwsEscape(std::string_view text, bool keep_slash) {
  if (!keep_slash) return net::PercentEncode(text);
  std::string out;
  for (size_t at = 0; at <= text.size();) {
    size_t slash = std::min(text.find('/', at), text.size());
    if (at > 0) out += '/';
    out += net::PercentEncode(text.substr(at, slash - at));
    at = slash + 1;
  }
  return out;
}

std::string Request::Target() const {
  std::string target = escaped_path.empty() ? AwsEscape(path, true) : escaped_path;
  char separator = '?';
  for (const auto& [name, value] : query) {
    target += separator;
    target += net::PercentEncode(name);
    target += '=';
    target += net::PercentEncode(value);
    separator = '&';
  }
  return target;
}

}  // namespace gauntlet::objstore
