#include <cstddef>
#include <cstdint>
#include <string_view>

#include "profile/heap.h"
#include "profile/symbols.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)gauntlet::profile::ParseHeapProfile(text);
  (void)gauntlet::profile::Symbols::FromElf(text, 0).Find(0x401000);
  return 0;
}
