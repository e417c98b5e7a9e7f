// CounterLine: samples of counter chunks as one line that never falls.
//
// A counter chunk begins with its first raw value, counts on from there over all resets, and repeats its last time with
// the last raw value: what the next chunk's first value is compared with.
//
// Upstream: thanos pkg/compact/downsample (ApplyCounterResetsSeriesIterator)
// Threads:  a value.

#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

namespace gauntlet::downsample {

struct CounterLine {
  static constexpr int64_t kNoTime = std::numeric_limits<int64_t>::min();

  bool any = false;        // whether a sample was taken
  int64_t time = kNoTime;  // of the last sample
  double value = 0;        // of the last sample, as its chunk has it
  double total = 0;        // of the line at the last sample

  // Takes the next sample of the chunks; true when it is a new point of the line: (time, total).
  bool Take(int64_t t, double v) {
    if (std::isnan(v) || t < time) return false;
    if (t == time) {  // what the raw value was at the end of the chunk
      value = v;
      return false;
    }
    total = !any ? v : total + (v >= value ? v - value : v);
    any = true;
    time = t;
    value = v;
    return true;
  }
};

}  // namespace gauntlet::downsample
