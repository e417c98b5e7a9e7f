// Samples: the decoded samples of one series in time order, as columns.
//
// Almost every series has floats only: then `values` runs beside `times_ms` and the other columns are empty. A native
// histogram at position i has an entry in `histograms` and a meaningless values[i].
// Threads: one thread at a time. Reused between series, so that its buffers are allocated once.

#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "model/histogram.h"

namespace gauntlet {

struct HistogramSample {
  uint32_t position;  // index into times_ms; ascending
  Histogram histogram;
};

struct Samples {
  std::vector<int64_t> times_ms;  // strictly ascending
  std::vector<double> values;     // same length
  std::vector<HistogramSample> histograms;
  // Same length as times_ms, or empty when no sample has a start time; 0 = unknown.
  std::vector<int64_t> start_times_ms;

  size_t size() const { return times_ms.size(); }
  bool floats_only() const { return histograms.empty(); }
  void Clear() {
    times_ms.clear();
    values.clear();
    histograms.clear();
    start_times_ms.clear();
  }
  size_t memory_bytes() const {
    size_t bytes = (times_ms.capacity() + values.capacity() + start_times_ms.capacity()) * 8;
    for (const auto& h : histograms) bytes += h.histogram.memory_bytes();
    return bytes;
  }
};

// Appends samples [begin, end) of `from`. REQUIRES: from and out are not the same.
void AppendRange(const Samples& from, size_t begin, size_t end, Samples* out);

}  // namespace gauntlet
