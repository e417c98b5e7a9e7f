// Any bytes: what splits must join to the same bytes' meaning, and its parts decode or are refused.
#include "base/check.h"
#include "tsdb/chunkenc/aggr_chunk.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace gauntlet::tsdb;  // NOLINT: one short function
  auto parts = ParseAggrChunk({reinterpret_cast<const char*>(data), size});
  if (!parts.ok()) return 0;
  std::string joined = EncodeAggrChunk(*parts);
  auto again = ParseAggrChunk(joined);
  GN_CHECK(again.ok());
  for (size_t i = 0; i < kAggregates; ++i) {
    GN_CHECK(again->parts[i].bytes == parts->parts[i].bytes);
    gauntlet::Samples samples;
    if (!DecodeChunk(parts->parts[i], &samples).ok()) GN_CHECK(samples.size() == 0);
  }
  return 0;
}
