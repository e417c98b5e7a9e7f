// The buckets of a histogram with their bounds: side by side from the lowest to the highest, or one side by index.
//
// Upstream: prometheus model/histogram/generic.go, float_histogram.go (AllBucketIterator, floatBucketIterator)
// Threads:  one thread at a time; a cursor borrows its histogram.

#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "model/histogram.h"

namespace gauntlet {

struct HistogramBucket {
  double lower = 0, upper = 0, count = 0;
  bool lower_inclusive = false, upper_inclusive = false;
  int32_t index = 0;  // of its side; meaningless for the zero bucket
};

// How much of the bucket lies below `v`, which is strictly within its finite bounds, if observations are spread evenly
// over it: on a linear scale or on a logarithmic one.
double FractionBelow(const HistogramBucket& bucket, double v, bool linear);

// Upper bound of the positive bucket `index`: 2^(index * 2^-schema), the largest float for the last but one of a
// schema, or the custom bound (below the first -Inf, beyond the last +Inf).
double BucketBound(int32_t index, int32_t schema, const std::vector<double>& custom_values);

// The bucket of a coarser (lower) exponential schema that contains bucket `index` of `schema`.
int32_t CoarserIndex(int32_t index, int32_t schema, int32_t target_schema);

// Walks the buckets of one side from index to index, also the empty ones that spans hold; safe on any histogram.
class BucketCursor {
 public:
  enum class Side : uint8_t { kPositive, kNegative };

  BucketCursor(const Histogram& histogram, Side side) : BucketCursor(histogram, side, histogram.schema, 0) {}
  // Buckets merged to `target_schema`, without the first ones whose bound is at most `start`.
  // REQUIRES: target_schema <= histogram.schema, and equal to it with custom buckets.
  BucketCursor(const Histogram& histogram, Side side, int32_t target_schema, double start);

  bool Next();
  int32_t index() const { return index_; }
  double count() const { return count_; }
  HistogramBucket bucket() const;

 private:
  // The next bucket of the histogram's own schema.
  bool Advance();
  bool NextMerged();

  const Histogram& histogram_;
  const Side side_;
  const std::vector<HistogramSpan>& spans_;
  const std::vector<double>& buckets_;
  const int32_t target_schema_;
  const double start_;
  bool started_ = false;        // a bucket beyond start_ was given
  size_t span_ = 0, next_ = 0;  // the next bucket
  uint32_t in_span_ = 0;
  int32_t own_index_ = 0;  // index of buckets_[next_ - 1]
  bool pending_ = false;   // Advance() went one too far for the merged bucket
  int32_t index_ = 0;
  double count_ = 0;
};

// The bucket whose count is at `position` of its side's counts; found by its span.
HistogramBucket BucketAt(const Histogram& histogram, BucketCursor::Side side, size_t position);

// Negative buckets from the lowest, the zero bucket if it has observations, positive buckets; bounds that reach into
// the zero bucket end at it. *out is replaced.
void AllBuckets(const Histogram& histogram, std::vector<HistogramBucket>* out);

template <typename Visit>
void ForEachBucket(const Histogram& histogram, const Visit& visit) {
  std::vector<HistogramBucket> buckets;
  AllBuckets(histogram, &buckets);
  for (const HistogramBucket& bucket : buckets) visit(bucket);
}

}  // namespace gauntlet
