#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "config/yaml.h"

// Whatever parses must be written and read again as the same text.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using gauntlet::config::EmitYaml;
  using gauntlet::config::ParseYaml;
  auto node = ParseYaml(std::string_view(reinterpret_cast<const char*>(data), size), {.expanded_nodes_max = 10000});
  if (!node.ok()) return 0;
  std::string text = EmitYaml(**node);
  auto again = ParseYaml(text);
  GN_CHECK(again.ok());
  GN_CHECK(EmitYaml(**again) == text);
  return 0;
}
