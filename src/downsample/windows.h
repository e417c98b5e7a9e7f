// Windows: how time is divided for downsampling, and into how many chunks the windows of a series go.
//
// Upstream: thanos pkg/compact/downsample/downsample.go (currentWindow, targetChunkCount)
// Threads:  pure functions.

#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

namespace gauntlet::downsample {

inline constexpr int64_t kFiveMinutesMs = 5 * 60 * 1000;
inline constexpr int64_t kHourMs = 60 * 60 * 1000;
// Raw samples are taken to come at least so often when chunks are sized.
inline constexpr int64_t kRawIntervalMs = 60 * 1000;
inline constexpr int64_t kWindowsPerChunk = 140;

// The last millisecond of the window that t lies in: blocks end before the next window begins.
inline int64_t WindowEnd(int64_t t, int64_t resolution_ms) {
  int64_t in_window = t % resolution_ms;
  if (in_window < 0) in_window += resolution_ms;
  int64_t left = resolution_ms - 1 - in_window;
  return t <= std::numeric_limits<int64_t>::max() - left ? t + left : std::numeric_limits<int64_t>::max();
}

// Chunks for `count` samples of a resolution between mint and maxt, so that each holds about kWindowsPerChunk windows.
size_t TargetChunks(int64_t mint_ms, int64_t maxt_ms, int64_t from_resolution_ms, int64_t resolution_ms, size_t count);

}  // namespace gauntlet::downsample
