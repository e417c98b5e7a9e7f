// Any text is groups or an error, in both formats.

#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "discovery/target_groups.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const char* path : {"f.json", "f.yml"}) {
    auto groups = gauntlet::discovery::ParseTargetGroups(text, path);
    if (!groups.ok()) GN_CHECK(!groups.status().message().empty());
  }
  return 0;
}
