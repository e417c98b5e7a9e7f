// Trimming: which observations a histogram keeps on one side of a bound.
//
// Within the bucket that the bound cuts, observations are taken to be spread evenly: on a logarithmic scale in
// exponential buckets, on a linear one in custom and zero buckets. Of a bucket that reaches to infinity nothing is
// known, so it goes or stays whole where no better guess is at hand.

#include <cmath>

#include "base/float_limits.h"
#include "model/histogram_arithmetic.h"
#include "model/histogram_buckets.h"

namespace gauntlet {
namespace {

// What remains of a bucket, and the value that stands for it in the sum.
struct Kept {
  double count = 0, midpoint = 0;
};

double FiniteOrZero(double v) { return std::isinf(v) ? 0 : v; }

double Midpoint(double lower, double upper, bool positive, bool linear) {
  if (std::isinf(lower)) {
    if (std::isinf(upper)) return 0;
    return upper > 0 ? upper / 2 : upper;
  }
  if (std::isinf(upper)) return lower;
  if (linear) return (lower + upper) / 2;
  double mean = std::sqrt(std::fabs(lower * upper));
  return positive ? mean : -mean;
}

Kept CutOpenBelow(const HistogramBucket& b, double bound, TrimSide side) {
  if (side == TrimSide::kAbove) {
    if (bound >= b.upper) return {b.count, 0};
    // A positive finite upper bound belongs to custom buckets, whose first one is taken to begin at 0.
    if (bound > 0 && b.upper > 0 && b.upper != kInfinity) return {b.count * bound / b.upper, bound / 2};
    if (b.upper <= 0) return {b.count, bound};
    return {0, FiniteOrZero(b.upper)};
  }
  if (bound <= b.lower) return {b.count, 0};
  if (bound >= 0 && b.upper > bound && b.upper != kInfinity) {
    return {b.count * (1 - bound / b.upper), (bound + b.upper) / 2};
  }
  return {0, FiniteOrZero(b.upper)};
}

Kept CutOpenAbove(const HistogramBucket& b, double bound, TrimSide side) {
  if (side == TrimSide::kBelow && bound >= b.lower) return {b.count, bound};
  return {0, FiniteOrZero(b.lower)};
}

Kept Cut(const HistogramBucket& b, double bound, TrimSide side, bool positive, bool linear) {
  if (b.lower == -kInfinity) return CutOpenBelow(b, bound, side);
  if (b.upper == kInfinity) return CutOpenAbove(b, bound, side);
  double below = 0;
  if (bound >= b.upper) {
    below = b.count;
  } else if (bound > b.lower) {
    below = b.count * FractionBelow(b, bound, linear);
  }
  if (side == TrimSide::kAbove) return {below, Midpoint(b.lower, bound, positive, linear)};
  return {b.count - below, Midpoint(bound, b.upper, positive, linear)};
}

// The zero bucket reaches to the side only where there are buckets, if there are any.
Kept CutZeroBucket(const Histogram& h, double bound, TrimSide side, bool has_positive, bool has_negative) {
  double lower = -h.zero_threshold, upper = h.zero_threshold;
  if (has_negative && !has_positive) upper = 0;
  if (has_positive && !has_negative) lower = 0;
  const Kept all{h.zero_count, (lower + upper) / 2};
  if (side == TrimSide::kAbove) {
    if (bound <= lower) return {};
    if (bound >= upper) return all;
    double fraction = (bound - lower) / (upper - lower);
    return {h.zero_count * fraction, (lower + bound) / 2};
  }
  if (bound <= lower) return all;
  if (bound >= upper) return {};
  double fraction = (upper - bound) / (upper - lower);
  return {h.zero_count * fraction, (bound + upper) / 2};
}

class Trimmer {
 public:
  Trimmer(const Histogram& h, double bound, TrimSide side) : h_(h), bound_(bound), side_(side) {}

  // New counts of the buckets of one side; true when it has populated ones.
  bool TrimBuckets(BucketCursor::Side which, std::vector<double>* counts) {
    const bool positive = which == BucketCursor::Side::kPositive, linear = h_.uses_custom_buckets();
    bool populated = false;
    size_t position = 0;
    for (BucketCursor cursor(h_, which); cursor.Next(); ++position) {
      if (cursor.count() == 0) continue;
      populated = true;
      HistogramBucket b = cursor.bucket();
      const bool above = side_ == TrimSide::kAbove;
      Kept kept;
      if (above ? b.upper <= bound_ : b.lower >= bound_) {
        kept = {b.count, Midpoint(b.lower, b.upper, positive, linear)};
      } else if (above ? b.lower < bound_ : b.upper > bound_) {
        kept = Cut(b, bound_, side_, positive, linear);
        trimmed_ = trimmed_ || kept.count != b.count;
        (*counts)[position] = kept.count;
      } else {
        trimmed_ = true;
        (*counts)[position] = 0;
        continue;
      }
      count_ += kept.count;
      sum_ += kept.midpoint * kept.count;
    }
    return populated;
  }

  double TrimZeroBucket(bool has_positive, bool has_negative) {
    if (!(h_.zero_count > 0)) return h_.zero_count;
    Kept kept = CutZeroBucket(h_, bound_, side_, has_positive, has_negative);
    trimmed_ = trimmed_ || kept.count != h_.zero_count;
    sum_ += kept.midpoint * kept.count;
    count_ += kept.count;
    return kept.count;
  }

  bool trimmed() const { return trimmed_; }
  double count() const { return count_; }
  double sum() const { return sum_; }

 private:
  const Histogram& h_;
  const double bound_;
  const TrimSide side_;
  bool trimmed_ = false;
  double count_ = 0, sum_ = 0;
};

}  // namespace

void TrimHistogram(Histogram& h, double bound, TrimSide side) {
  if (h.uses_custom_buckets()) h.zero_count = 0;
  Trimmer trimmer(h, bound, side);
  std::vector<double> positive = h.positive_buckets, negative = h.negative_buckets;
  bool has_positive = trimmer.TrimBuckets(BucketCursor::Side::kPositive, &positive);
  bool has_negative = trimmer.TrimBuckets(BucketCursor::Side::kNegative, &negative);
  double zero_count = trimmer.TrimZeroBucket(has_positive, has_negative);
  if (!trimmer.trimmed()) return;
  h.positive_buckets = std::move(positive);
  h.negative_buckets = std::move(negative);
  h.zero_count = zero_count;
  h.count = trimmer.count();
  h.sum = trimmer.sum();
  CompactHistogram(h);
}

}  // namespace gauntlet
