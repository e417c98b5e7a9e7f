// Float windows: count, sum, least, greatest and counter of the samples in each window of time, and the aggregate chunk
// that they make.
//
// Upstream: thanos pkg/compact/downsample (floatAggregator, downsampleBatch): the additions are made in the same order,
//           so that the results have the same bits.
// Threads:  functions on values.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tsdb/chunkenc/transcode.h"

namespace gauntlet::downsample {

struct FloatWindows {
  std::vector<int64_t> times_ms;  // the end of each window, or the last sample where that is earlier
  std::vector<double> count, sum, min, max;
  std::vector<double> counter;  // from the first sample on, over all resets

  size_t size() const { return times_ms.size(); }
  void Clear();
};

// Appends the windows of the samples, of which there is at least one; times ascend.
void AggregateWindows(std::span<const int64_t> times_ms, std::span<const double> values, int64_t resolution_ms,
                      FloatWindows* out);

// What a chunk of 16 bits of count holds at most, with a counter's first and last value beside.
inline constexpr size_t kChunkWindowsMax = 65000;

// The part of an aggregate chunk. REQUIRES: at most kChunkWindowsMax windows.
std::string EncodePart(std::span<const int64_t> times_ms, std::span<const double> values);
// The counter of the windows between its first and last raw value: see counter_line.h.
std::string EncodeCounterPart(int64_t first_ms, double first, const FloatWindows& windows, double last);
// All five parts.
tsdb::EncodedChunk EncodeWindows(int64_t first_ms, double first, const FloatWindows& windows, double last);

}  // namespace gauntlet::downsample
