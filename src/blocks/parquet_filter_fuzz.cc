// Any bytes as the meta.pb of a Parquet block: refused, or the ids in it.

#include "blocks/parquet_filter.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  (void)gauntlet::blocks::ParseParquetSources({reinterpret_cast<const char*>(data), size}).ok();
  return 0;
}
