// Several chunks of one series: the encoding, then for each chunk two bytes of length and its bytes. Decoded at once
// they are what they are one by one.
#include <algorithm>
#include <cstring>
#include <limits>
#include <vector>

#include "base/check.h"
#include "tsdb/chunkenc/chunk.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using gauntlet::Samples;
  using gauntlet::tsdb::ChunkView;
  if (size == 0) return 0;
  const auto encoding = static_cast<gauntlet::tsdb::Encoding>(data[0]);
  std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  std::vector<ChunkView> chunks;
  while (rest.size() >= 2) {
    const size_t length = static_cast<uint8_t>(rest[0]) << 8 | static_cast<uint8_t>(rest[1]);
    chunks.push_back({encoding, rest.substr(2, length)});
    rest.remove_prefix(std::min(rest.size(), 2 + length));
  }
  constexpr int64_t kMin = std::numeric_limits<int64_t>::min(), kMax = std::numeric_limits<int64_t>::max();
  Samples together, alone;
  const bool ok = gauntlet::tsdb::DecodeChunks(chunks, kMin, kMax, &together).ok();
  bool alone_ok = true;
  for (size_t i = 0; i < chunks.size() && alone_ok; ++i) {
    if (alone.size() > 0 && alone.times_ms.back() == kMax) break;
    alone_ok =
        gauntlet::tsdb::DecodeChunk(chunks[i], alone.size() > 0 ? alone.times_ms.back() + 1 : kMin, kMax, &alone).ok();
  }
  GN_CHECK(ok == alone_ok);
  GN_CHECK(together.times_ms == alone.times_ms);
  GN_CHECK(together.values.size() == alone.values.size());
  if (!together.values.empty()) {
    GN_CHECK(std::memcmp(together.values.data(), alone.values.data(), together.values.size() * sizeof(double)) == 0);
  }
  GN_CHECK(together.histograms.size() == alone.histograms.size());
  GN_CHECK(together.start_times_ms == alone.start_times_ms);
  return 0;
}
