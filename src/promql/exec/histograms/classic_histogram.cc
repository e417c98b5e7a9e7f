#include "promql/exec/histograms/classic_histogram.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/float_limits.h"
#include "promql/exec/rows/math.h"

namespace gauntlet::promql {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kRoundingTolerance = 1e-12;

// Joins buckets of the same bound by adding their counts.
void Coalesce(std::vector<Bucket>* buckets) {
  size_t kept = 0;
  for (size_t i = 1; i < buckets->size(); ++i) {
    if ((*buckets)[i].upper_bound == (*buckets)[kept].upper_bound) {
      (*buckets)[kept].count += (*buckets)[i].count;
    } else {
      (*buckets)[++kept] = (*buckets)[i];
    }
  }
  buckets->resize(kept + 1);
}

// Lets no count be below the one before it; differences from rounding alone are flattened without a word.
void MakeCumulative(std::vector<Bucket>* buckets, int64_t now_ms, ForcedMonotonicity* forced) {
  double previous = buckets->front().count;
  ForcedMonotonicity found{now_ms, now_ms, kInf, -kInf, 0, 0};
  for (size_t i = 1; i < buckets->size(); ++i) {
    Bucket& bucket = (*buckets)[i];
    double count = bucket.count;
    if (count == previous) continue;
    if (AlmostEqual(previous, count, kRoundingTolerance)) {
      bucket.count = previous;
    } else if (count < previous) {
      bucket.count = previous;
      found.count = 1;
      found.min_bucket = std::min(found.min_bucket, bucket.upper_bound);
      found.max_bucket = std::max(found.max_bucket, bucket.upper_bound);
      if (previous - count > found.max_diff) found.max_diff = previous - count;
    } else {
      previous = count;
    }
  }
  if (found.count == 0) return;
  if (forced->count == 0) {
    *forced = found;
    return;
  }
  forced->first_ms = std::min(forced->first_ms, now_ms);
  forced->last_ms = std::max(forced->last_ms, now_ms);
  forced->min_bucket = std::min(forced->min_bucket, found.min_bucket);
  forced->max_bucket = std::max(forced->max_bucket, found.max_bucket);
  forced->max_diff = std::max(forced->max_diff, found.max_diff);
  ++forced->count;
}

}  // namespace

double BucketQuantile(double q, std::vector<Bucket>* buckets, int64_t now_ms, ForcedMonotonicity* forced) {
  if (std::isnan(q)) return kNaN;
  if (q < 0) return -kInf;
  if (q > 1) return kInf;
  if (buckets->back().upper_bound != kInf) return kNaN;
  Coalesce(buckets);
  MakeCumulative(buckets, now_ms, forced);
  const std::vector<Bucket>& b = *buckets;
  if (b.size() < 2) return kNaN;
  const double observations = b.back().count;
  if (observations == 0) return kNaN;
  double rank = q * observations;
  const size_t last = b.size() - 1;
  size_t at = 0, end = last;  // the first bucket whose count reaches the rank
  while (at < end) {
    size_t middle = (at + end) / 2;
    if (b[middle].count >= rank) {
      end = middle;
    } else {
      at = middle + 1;
    }
  }
  if (at == last) return b[last - 1].upper_bound;
  if (at == 0 && b[0].upper_bound <= 0) return b[0].upper_bound;
  double start = 0, count = b[at].count;
  if (at > 0) {
    start = b[at - 1].upper_bound;
    count -= b[at - 1].count;
    rank -= b[at - 1].count;
  }
  return start + (b[at].upper_bound - start) * (rank / count);
}

double BucketFraction(double lower, double upper, std::vector<Bucket>* buckets) {
  if (buckets->back().upper_bound != kInf) return kNaN;
  Coalesce(buckets);
  const std::vector<Bucket>& b = *buckets;
  const double count = b.back().count;
  if (count == 0 || std::isnan(lower) || std::isnan(upper)) return kNaN;
  if (lower >= upper) return 0;

  double rank = 0, lower_rank = 0, upper_rank = 0;
  bool lower_set = false, upper_set = false;
  // Only positive observations are assumed when the first bound is positive.
  double from = b[0].upper_bound <= 0 ? -kInf : 0;
  for (size_t i = 0; i < b.size() && !(lower_set && upper_set); ++i) {
    if (i > 0) from = b[i - 1].upper_bound;
    const double to = b[i].upper_bound;
    // Of a bucket without a lower bound all observations lie below.
    auto rank_at = [&](double v) {
      return from == -kInf ? b[i].count : rank + (b[i].count - rank) * (v - from) / (to - from);
    };
    if (!lower_set && from >= lower) {
      lower_rank = rank;
      lower_set = true;
    }
    if (!upper_set && from >= upper) {
      upper_rank = rank;
      upper_set = true;
    }
    if (lower_set && upper_set) break;
    if (!lower_set && from < lower && to > lower) {
      lower_rank = rank_at(lower);
      lower_set = true;
    }
    if (!upper_set && from < upper && to > upper) {
      upper_rank = rank_at(upper);
      upper_set = true;
    }
    rank = b[i].count;
  }
  if (!lower_set || lower_rank > count) lower_rank = count;
  if (!upper_set || upper_rank > count) upper_rank = count;
  return (upper_rank - lower_rank) / count;
}

}  // namespace gauntlet::promql
