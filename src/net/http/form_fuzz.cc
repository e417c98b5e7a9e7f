// A form that parses comes back the same from its own encoding.

#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "net/http/message.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  gauntlet::net::FormValues form, again;
  if (!form.Parse({reinterpret_cast<const char*>(data), size}).ok()) return 0;
  GN_CHECK(again.Parse(form.Encode()).ok());
  GN_CHECK(again.pairs() == form.pairs());
  return 0;
}
