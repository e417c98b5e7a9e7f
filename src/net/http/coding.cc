#include "net/http/coding.h"

#include <algorithm>

#include "io/compress.h"
#include "net/text.h"

namespace gauntlet::net {
namespace {

// True when the parameters say q=0 (any number of zeros).
bool Refused(std::string_view parameters) {
  std::string text = LowerAscii(parameters);
  std::erase(text, ' ');
  if (!text.starts_with("q=0")) return false;
  return text.find_first_not_of("0.", 2) == std::string::npos;
}

}  // namespace

bool AcceptsGzip(std::string_view accept_encoding) {
  bool any = false;
  while (!accept_encoding.empty()) {
    size_t comma = std::min(accept_encoding.find(','), accept_encoding.size());
    std::string_view item = TrimBlanks(accept_encoding.substr(0, comma));
    accept_encoding.remove_prefix(std::min(comma + 1, accept_encoding.size()));
    size_t semicolon = std::min(item.find(';'), item.size());
    std::string coding = LowerAscii(TrimBlanks(item.substr(0, semicolon)));
    bool refused = Refused(TrimBlanks(item.substr(std::min(semicolon + 1, item.size()))));
    if (coding == "gzip" || coding == "x-gzip") return !refused;
    if (coding == "*") any = !refused;
  }
  return any;
}

Result<std::string> DecodeContent(std::string_view coding, std::string_view bytes, size_t bytes_max) {
  std::string name = LowerAscii(TrimBlanks(coding));
  if (name.empty() || name == "identity") return std::string(bytes);
  if (name == "gzip" || name == "x-gzip") return io::GzipDecompress(bytes, bytes_max);
  if (name != "deflate") return Status(Code::kUnsupported, "unsupported Content-Encoding \"" + name + "\"");
  io::GzipReader reader(bytes_max);
  std::string out;
  GN_TRY(reader.Append(bytes, &out));
  GN_TRY(reader.Finish());
  return out;
}

}  // namespace gauntlet::net
