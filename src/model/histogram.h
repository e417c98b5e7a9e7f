// Native histograms: one shape for integer and float ones, counts as doubles, buckets absolute.
//
// Schemas -4..8 are exponential (bucket i covers (base^(i-1), base^i], base = 2^(2^-schema)); -53 has custom bounds.
// Integer histograms decode into the same struct (exact up to 2^53), with `is_float` false.
//
// Upstream: prometheus model/histogram/float_histogram.go, histogram.go
// Threads:  a value.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "model/stale.h"

namespace gauntlet {

enum class ResetHint : uint8_t { kUnknown, kReset, kNotReset, kGauge };  // the order of prompb

struct HistogramSpan {
  int32_t offset = 0;   // gap to the previous span; of the first span, its first bucket index
  uint32_t length = 0;  // number of consecutive buckets
  bool operator==(const HistogramSpan&) const = default;
};

inline constexpr int32_t kCustomBucketsSchema = -53;

struct Histogram {
  ResetHint reset_hint = ResetHint::kUnknown;
  bool is_float = true;
  int32_t schema = 0;
  double zero_threshold = 0, zero_count = 0, count = 0, sum = 0;
  std::vector<HistogramSpan> positive_spans, negative_spans;
  std::vector<double> positive_buckets, negative_buckets;  // absolute counts, one per bucket of the spans
  std::vector<double> custom_values;                       // upper bounds, only for kCustomBucketsSchema

  bool stale() const { return IsStaleNaN(sum); }
  bool uses_custom_buckets() const { return schema == kCustomBucketsSchema; }
  size_t memory_bytes() const {
    return sizeof(*this) + (positive_spans.capacity() + negative_spans.capacity()) * sizeof(HistogramSpan) +
           (positive_buckets.capacity() + negative_buckets.capacity() + custom_values.capacity()) * sizeof(double);
  }
};

// Equal to the bit, reset hint and `is_float` aside; spans may be written differently.
bool SameHistogram(const Histogram& a, const Histogram& b);
// Drops empty buckets, save for runs of at most `empty_max` between populated ones. As few spans as that allows.
void CompactHistogram(Histogram& h, int64_t empty_max = 0);
// kInvalid, in upstream's words, when the parts do not fit together.
Status ValidateHistogram(const Histogram& h);
// Whether a counter was reset between two samples of a series. Gauges are looked at as if they were counters.
bool DetectReset(const Histogram& current, const Histogram& previous);
// "{count:4, sum:10, [-0.001,0.001]:1, (1,2]:3}", without empty buckets: PromQL's text of a float histogram.
std::string HistogramString(const Histogram& h);
// "{{schema:1 count:4 sum:10 buckets:[1 3]}}": the form of the test scripts.
std::string HistogramExpression(const Histogram& h);

}  // namespace gauntlet
