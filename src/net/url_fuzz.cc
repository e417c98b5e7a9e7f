// A URL that parses is written so that it parses again to the same text.

#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "net/url.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using gauntlet::net::Url;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  auto url = Url::Parse(text);
  if (!url.ok()) return 0;
  auto again = Url::Parse(url->ToString());
  GN_CHECK(again.ok());
  GN_CHECK(again->ToString() == url->ToString());
  GN_CHECK(Url::Parse(url->Join("api").ToString()).ok());
  return 0;
}
