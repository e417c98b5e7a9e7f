// What a histogram of the judge tells of its observations: quantiles, fractions, variance.

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/float_limits.h"
#include "model/histogram_buckets.h"
#include "promql/engine/testing/judge_histogram.h"

namespace gauntlet::promql {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

double Upper(int32_t index, const JudgeHistogram& h) { return BucketBound(index, h.schema, h.bounds); }

// All buckets from the lowest to the highest.
std::vector<HistogramBucket> Buckets(const JudgeHistogram& h) {
  std::vector<HistogramBucket> out;
  for (auto at = h.negative.rbegin(); at != h.negative.rend(); ++at) {
    out.push_back({-Upper(at->first, h), -Upper(at->first - 1, h), at->second});
  }
  if (h.zero_count > 0) out.push_back({-h.zero_threshold, h.zero_threshold, h.zero_count});
  for (const auto& [index, count] : h.positive) out.push_back({Upper(index - 1, h), Upper(index, h), count});
  std::erase_if(out, [](const HistogramBucket& b) { return b.count == 0; });
  for (HistogramBucket& b : out) {
    if (b.lower > 0) b.lower = std::max(b.lower, h.zero_threshold);
    if (b.upper < 0) b.upper = std::min(b.upper, -h.zero_threshold);
    if (b.lower < 0 && b.upper > 0 && !h.custom()) {
      if (h.negative.empty() && !h.positive.empty()) b.lower = 0;
      if (h.positive.empty() && !h.negative.empty()) b.upper = 0;
    }
  }
  return out;
}

// How much of a bucket lies below v.
double PartBelow(const HistogramBucket& b, double v, bool custom) {
  if (custom || (b.lower <= 0 && b.upper >= 0)) return (v - b.lower) / (b.upper - b.lower);
  double low = std::log2(std::fabs(b.lower)), high = std::log2(std::fabs(b.upper));
  return (std::log2(std::fabs(v)) - low) / (high - low);
}

}  // namespace

double QuantileJudged(double q, const JudgeHistogram& h) {
  if (q < 0) return -kInf;
  if (q > 1) return kInf;
  if (h.count == 0 || std::isnan(q)) return kNaN;
  std::vector<HistogramBucket> buckets = Buckets(h);
  const bool up = q < 0.5 || std::isnan(h.sum);
  if (!up) std::reverse(buckets.begin(), buckets.end());
  const double rank = (up ? q : 1 - q) * h.count;
  double seen = 0;
  HistogramBucket found;
  for (const HistogramBucket& b : buckets) {
    found = b;
    seen += b.count;
    if (seen >= rank) break;
  }
  if (h.custom()) {
    if (found.lower == -kInf) {
      if (found.upper <= 0) return found.upper;
      found.lower = 0;
    } else if (found.upper == kInf) {
      return found.lower;
    }
  }
  seen = std::min(seen, h.count);
  if (seen < rank) return std::isnan(h.sum) ? kNaN : found.upper;
  const double part = (up ? rank - (seen - found.count) : seen - rank) / found.count;
  if (h.custom() || (found.lower <= 0 && found.upper >= 0)) return found.lower + (found.upper - found.lower) * part;
  const double low = std::log2(std::fabs(found.lower)), high = std::log2(std::fabs(found.upper));
  const double v = std::exp2(low + (high - low) * part);
  return found.lower < 0 ? -v : v;
}

double FractionJudged(double lower, double upper, const JudgeHistogram& h) {
  if (h.count == 0 || std::isnan(lower) || std::isnan(upper)) return kNaN;
  if (lower >= upper) return 0;
  // How many observations are below v.
  auto below = [&](double v) {
    double rank = 0;
    for (HistogramBucket b : Buckets(h)) {
      if (h.custom() && b.lower <= 0 && b.upper >= 0) b.lower = 0;
      if (b.lower >= v) return rank;
      if (b.upper > v) return b.lower == -kInf ? b.count : rank + b.count * PartBelow(b, v, h.custom());
      rank += b.count;
    }
    return h.count;
  };
  return (std::min(below(upper), h.count) - std::min(below(lower), h.count)) / h.count;
}

double VarianceJudged(const JudgeHistogram& h) {
  const double mean = h.sum / h.count;
  double variance = 0;
  for (const HistogramBucket& b : Buckets(h)) {
    double value = std::sqrt(std::fabs(b.upper * b.lower));
    if (b.upper < 0) value = -value;
    if (b.lower <= 0 && b.upper >= 0) value = 0;
    if (h.custom()) value = (b.upper + b.lower) / 2;
    variance += b.count * (value - mean) * (value - mean);
  }
  return variance / h.count;
}

}  // namespace gauntlet::promql
