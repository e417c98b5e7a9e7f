#include "downsample/windows.h"

#include <algorithm>
#include <limits>

namespace gauntlet::downsample {

size_t TargetChunks(int64_t mint_ms, int64_t maxt_ms, int64_t from_resolution_ms, int64_t resolution_ms, size_t count) {
  if (maxt_ms <= mint_ms) return 1;
  int64_t span = 0;
  if (__builtin_sub_overflow(maxt_ms, mint_ms, &span)) span = std::numeric_limits<int64_t>::max();
  const int64_t windows = span / resolution_ms;
  double samples_max = static_cast<double>(span) / static_cast<double>(from_resolution_ms);
  double filled = std::min(1.0, static_cast<double>(count) / samples_max);
  auto expected = static_cast<int64_t>(static_cast<double>(windows) * filled) + 1;
  // The smallest x with expected / x <= kWindowsPerChunk, in whole numbers.
  return static_cast<size_t>(expected / (kWindowsPerChunk + 1) + 1);
}

}  // namespace gauntlet::downsample
