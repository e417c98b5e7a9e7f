// What parses, written and parsed again, is the same. The checksum is made right first.
#include <string>

#include "base/check.h"
#include "io/crc32c.h"
#include "tsdb/block/tombstones.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string bytes(reinterpret_cast<const char*>(data), size);
  if (size >= 9) {
    uint32_t checksum = gauntlet::io::Crc32c(std::string_view(bytes).substr(5, size - 9));
    for (size_t i = 0; i < 4; ++i) bytes[size - 4 + i] = static_cast<char>(checksum >> (24 - 8 * i));
  }
  auto stones = gauntlet::tsdb::Tombstones::Parse(bytes);
  if (!stones.ok()) return 0;
  auto again = gauntlet::tsdb::Tombstones::Parse(stones->Format());
  GN_CHECK(again.ok() && again->by_series() == stones->by_series());
  return 0;
}
