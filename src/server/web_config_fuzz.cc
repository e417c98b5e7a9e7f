#include <cstddef>
#include <cstdint>
#include <string_view>

#include "server/request_log.h"
#include "server/web_config.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)gauntlet::server::ParseWebConfig(text, "/etc");
  (void)gauntlet::server::ParseRequestLogConfig(text);
  return 0;
}
