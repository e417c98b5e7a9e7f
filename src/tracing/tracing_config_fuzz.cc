#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tracing/tracing_config.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  (void)gauntlet::tracing::ParseTracingConfig({reinterpret_cast<const char*>(data), size});
  return 0;
}
