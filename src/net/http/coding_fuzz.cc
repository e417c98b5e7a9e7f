// Any bytes behind any coding end in a body within the limit or an error.

#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "net/http/coding.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const char* coding : {"gzip", "deflate"}) {
    auto body = gauntlet::net::DecodeContent(coding, bytes, 1 << 16);
    GN_CHECK(!body.ok() || body->size() <= 1 << 16);
  }
  (void)gauntlet::net::AcceptsGzip(bytes);
  return 0;
}
