// First byte: the encoding. The rest: a chunk. What decodes must be ordered and consistent.
#include <algorithm>

#include "base/check.h"
#include "tsdb/chunkenc/chunk.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using gauntlet::tsdb::DecodeChunk;
  if (size == 0) return 0;
  gauntlet::tsdb::ChunkView chunk{static_cast<gauntlet::tsdb::Encoding>(data[0]),
                                  {reinterpret_cast<const char*>(data) + 1, size - 1}};
  gauntlet::Samples samples;
  if (!DecodeChunk(chunk, &samples).ok()) {
    GN_CHECK(samples.size() == 0 && samples.histograms.empty());
    return 0;
  }
  GN_CHECK(samples.size() <= gauntlet::tsdb::SampleCount(chunk));
  GN_CHECK(samples.values.size() == samples.size());
  GN_CHECK(samples.start_times_ms.empty() || samples.start_times_ms.size() == samples.size());
  GN_CHECK(std::is_sorted(samples.times_ms.begin(), samples.times_ms.end()));
  return 0;
}
