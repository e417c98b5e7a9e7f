#include "promql/exec/histograms/native_histogram.h"

#include <cmath>
#include <vector>

#include "base/float_limits.h"
#include "model/go/math.h"
#include "model/histogram_buckets.h"
#include "model/kahan_sum.h"

namespace gauntlet::promql {
namespace {

// All buckets from the lowest to the highest value or the other way round, by position; bounds only when asked for.
class BucketWalk {
 public:
  BucketWalk(const Histogram& h, bool descending) : h_(h), descending_(descending) {
    near_ = descending ? Side::kPositive : Side::kNegative;
    left_ = Counts(near_).size();
  }

  bool Next() {
    if (stage_ == Stage::kToZero) {
      if (left_ > 0) {
        --left_;
        return true;
      }
      stage_ = Stage::kZero;
      if (h_.zero_count > 0) return true;
    }
    if (stage_ == Stage::kZero) {
      stage_ = Stage::kFromZero;
      left_ = 0;
    } else {
      ++left_;
    }
    return left_ < Counts(Far()).size();
  }

  double count() const {
    switch (stage_) {
      case Stage::kToZero:
        return Counts(near_)[left_];
      case Stage::kZero:
        return h_.zero_count;
      case Stage::kFromZero:
        break;
    }
    return Counts(Far())[left_];
  }

  HistogramBucket bucket() const {
    const double zero = h_.zero_threshold;
    if (stage_ == Stage::kZero) return {-zero, zero, h_.zero_count, true, true, 0};
    HistogramBucket bucket = BucketAt(h_, stage_ == Stage::kToZero ? near_ : Far(), left_);
    if (bucket.lower > 0 && bucket.lower < zero) {
      bucket.lower = zero;
    } else if (bucket.upper < 0 && bucket.upper > -zero) {
      bucket.upper = -zero;
    }
    return bucket;
  }

 private:
  using Side = BucketCursor::Side;
  enum class Stage { kToZero, kZero, kFromZero };
  Side Far() const { return descending_ ? Side::kNegative : Side::kPositive; }
  const std::vector<double>& Counts(Side side) const {
    return side == Side::kPositive ? h_.positive_buckets : h_.negative_buckets;
  }

  const Histogram& h_;
  const bool descending_;
  Side near_;
  Stage stage_ = Stage::kToZero;
  size_t left_;
};

// A zero bucket without buckets on one of its sides is taken to end at 0 there.
void NarrowZeroBucket(const Histogram& h, HistogramBucket* bucket) {
  if (h.negative_buckets.empty() && !h.positive_buckets.empty()) bucket->lower = 0;
  if (h.positive_buckets.empty() && !h.negative_buckets.empty()) bucket->upper = 0;
}

double Interpolate(const HistogramBucket& b, double fraction, bool custom) {
  if (custom || (b.lower <= 0 && b.upper >= 0)) return b.lower + (b.upper - b.lower) * fraction;
  const double lower = GoLog2(std::fabs(b.lower)), upper = GoLog2(std::fabs(b.upper));
  if (b.lower > 0) return GoExp2(lower + (upper - lower) * fraction);
  return -GoExp2(upper + (lower - upper) * (1 - fraction));
}

// Where a value lies among the observations, found bucket by bucket.
class Rank {
 public:
  explicit Rank(double value) : value_(value) {}
  bool found() const { return found_; }
  double rank() const { return rank_; }

  void LookBefore(const HistogramBucket& b, double rank) {
    if (!found_ && b.lower >= value_) Set(rank);
  }
  void LookInside(const HistogramBucket& b, double rank, bool linear) {
    if (found_ || !(b.lower < value_ && b.upper > value_)) return;
    if (linear && b.lower == -kInfinity) return Set(b.count);
    Set(rank + b.count * FractionBelow(b, value_, linear));
  }

 private:
  void Set(double rank) {
    rank_ = rank;
    found_ = true;
  }
  const double value_;
  bool found_ = false;
  double rank_ = 0;
};

}  // namespace

double NativeQuantile(double q, const Histogram& h, NaNObservations* nans) {
  if (q < 0) return -kInfinity;
  if (q > 1) return kInfinity;
  if (h.count == 0 || std::isnan(q)) return kNaN;
  // Observations of NaN count as the highest.
  const bool has_nans = std::isnan(h.sum), ascending = has_nans || q < 0.5, custom = h.uses_custom_buckets();
  BucketWalk walk(h, !ascending);
  double rank = (ascending ? q : 1 - q) * h.count, count = 0;
  HistogramBucket bucket;
  bool found = false;
  while (!found && walk.Next()) {
    if (walk.count() == 0) continue;
    count += walk.count();
    found = count >= rank;
    if (found) bucket = walk.bucket();
  }
  if (!found) {
    // The last bucket, whatever it holds.
    for (BucketWalk again(h, !ascending); again.Next();) bucket = again.bucket();
  }
  if (custom) {
    if (bucket.lower == -kInfinity) {
      if (bucket.upper <= 0) return bucket.upper;
      bucket.lower = 0;
    } else if (bucket.upper == kInfinity) {
      return bucket.lower;
    }
  } else if (bucket.lower < 0 && bucket.upper > 0) {
    NarrowZeroBucket(h, &bucket);
  }
  if (count > h.count) count = h.count;
  if (count < rank) {
    nans->result_is_nan = nans->result_is_nan || has_nans;
    return has_nans ? kNaN : bucket.upper;
  }
  rank = ascending ? rank - (count - bucket.count) : count - rank;
  if (has_nans) {
    // Upstream goes on with the last bucket instead of the one that it found.
    while (walk.Next()) {
      bucket = walk.bucket();
      count += bucket.count;
    }
    nans->skewed = nans->skewed || count < h.count;
  }
  return Interpolate(bucket, rank / bucket.count, custom);
}

double NativeFraction(double lower, double upper, const Histogram& h, NaNObservations* nans) {
  if (h.count == 0 || std::isnan(lower) || std::isnan(upper)) return kNaN;
  if (lower >= upper) return 0;
  Rank lower_rank(lower), upper_rank(upper);
  double count = 0, rank = 0;
  BucketWalk walk(h, false);
  while (walk.Next()) {
    HistogramBucket b = walk.bucket();
    count += b.count;
    const bool zero = b.lower <= 0 && b.upper >= 0, linear = zero || h.uses_custom_buckets();
    if (zero) NarrowZeroBucket(h, &b);
    lower_rank.LookBefore(b, rank);
    upper_rank.LookBefore(b, rank);
    if (lower_rank.found() && upper_rank.found()) break;
    lower_rank.LookInside(b, rank, linear);
    upper_rank.LookInside(b, rank, linear);
    if (lower_rank.found() && upper_rank.found()) break;
    rank += b.count;
  }
  if (std::isnan(h.sum)) {
    while (walk.Next()) count += walk.count();
    nans->skewed = nans->skewed || count < h.count;
  } else {
    count = h.count;
  }
  auto rank_of = [count](const Rank& r) { return !r.found() || r.rank() > count ? count : r.rank(); };
  return (rank_of(upper_rank) - rank_of(lower_rank)) / h.count;
}

double NativeVariance(const Histogram& h) {
  const double mean = h.sum / h.count;
  double variance = 0, c = 0;
  ForEachBucket(h, [&](const HistogramBucket& b) {
    if (b.count == 0) return;
    double value;
    if (h.uses_custom_buckets()) {
      value = (b.upper + b.lower) / 2.0;
    } else if (b.lower <= 0 && b.upper >= 0) {
      value = 0;
    } else {
      value = std::sqrt(b.upper * b.lower);
      if (b.upper < 0) value = -value;
    }
    const double delta = value - mean;
    KahanAdd(b.count * delta * delta, variance, c);
  });
  variance += c;
  return variance / h.count;
}

}  // namespace gauntlet::promql
