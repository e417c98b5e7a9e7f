// What parses, written and parsed again, is the same.
#include "base/check.h"
#include "tsdb/block/block_meta.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  auto meta = gauntlet::tsdb::ParseBlockMeta({reinterpret_cast<const char*>(data), size});
  if (!meta.ok()) return 0;
  auto again = gauntlet::tsdb::ParseBlockMeta(gauntlet::tsdb::FormatBlockMeta(*meta));
  GN_CHECK(again.ok() && *again == *meta);
  return 0;
}
