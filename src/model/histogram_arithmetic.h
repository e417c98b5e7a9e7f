// Arithmetic of histograms: sums and differences of unlike layouts, products, coarser resolutions, trimming.
//
// Two exponential histograms meet at the coarser schema and at a zero bucket wide enough for both, two with custom
// buckets at the bounds that both have. Results may hold empty buckets: CompactHistogram() removes them.
//
// Upstream: prometheus model/histogram/float_histogram.go (Add, Sub, KahanAdd, Mul, Div, TrimBuckets)
// Threads:  functions on values.

#pragma once

#include <cstdint>
#include <vector>

#include "model/histogram.h"

namespace gauntlet {

// What adding two histograms has to say.
struct HistogramMeeting {
  bool compatible = true;          // false: custom and exponential buckets; nothing was done
  bool reset_collision = false;    // one says that the counter was reset, the other that it was not
  bool bounds_reconciled = false;  // custom bounds differed
};

HistogramMeeting AddHistogram(Histogram& h, const Histogram& other);
HistogramMeeting SubtractHistogram(Histogram& h, const Histogram& other);
// A negative factor makes a gauge.
void MultiplyHistogram(Histogram& h, double factor);
// By zero: counts become infinite or NaN, and the buckets go.
void DivideHistogram(Histogram& h, double divisor);
// REQUIRES: exponential buckets, target_schema <= h.schema.
void ReduceResolution(Histogram& h, int32_t target_schema);

// Whether a count, the sum or a custom bound is infinite.
bool HasOverflow(const Histogram& h);

enum class TrimSide : uint8_t { kAbove, kBelow };
// Takes the observations above or below `bound` away, by interpolation within the bucket that it cuts. The sum is
// estimated anew from the buckets, unless nothing went.
void TrimHistogram(Histogram& h, double bound, TrimSide side);

// What a sum of histograms lost to rounding: to each count of the sum its compensation.
struct HistogramCompensation {
  bool used = false;  // since the first addition
  double zero_count = 0, count = 0, sum = 0;
  std::vector<double> positive, negative;  // beside the buckets

  void Multiply(double factor);
  void Divide(double divisor);
};
// Adds with compensation. The layouts of `c` follow those of `h`.
HistogramMeeting KahanAddHistogram(Histogram& h, const Histogram& other, HistogramCompensation& c);
// h += c.
void AddCompensation(Histogram& h, const HistogramCompensation& c);

// The zero bucket of `h` with its threshold widened to `threshold`, or beyond when that would cut a populated bucket.
struct WidenedZeroBucket {
  double count = 0, threshold = 0;
  double compensation = 0;  // of the count
};
// REQUIRES: threshold >= h.zero_threshold. `c` may be null.
WidenedZeroBucket WidenZeroBucket(const Histogram& h, double threshold, const HistogramCompensation* c = nullptr);

}  // namespace gauntlet
