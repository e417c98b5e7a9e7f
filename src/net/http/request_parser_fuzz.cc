// Any bytes, cut at any place, give the same requests; nothing but the limits is buffered.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "net/http/request_parser.h"

namespace {

using gauntlet::net::RequestParser;

std::string Run(std::string_view bytes, size_t step) {
  RequestParser parser({.head_bytes_max = 4096, .body_bytes_max = 4096});
  std::string log;
  for (size_t i = 0; i < bytes.size(); i += step) {
    parser.Feed(bytes.substr(i, step));
    while (parser.state() == RequestParser::State::kComplete) {
      const auto& request = parser.request();
      GN_CHECK(request.body.size() <= 4096);
      log += request.method + " " + request.path + "?" + request.query + "\n";
      for (const auto& [name, value] : request.headers.all()) log += name + ":" + value + "\n";
      log += request.body + "\n";
      parser.Next();
    }
    if (parser.state() == RequestParser::State::kFailed) return log;
    GN_CHECK(parser.buffered() <= 32768);
  }
  return log;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0 || size > 8192) return 0;
  std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  GN_CHECK(Run(bytes, bytes.size() + 1) == Run(bytes, 1 + data[0] % 16));
  return 0;
}
