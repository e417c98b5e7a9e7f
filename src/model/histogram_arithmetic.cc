#include "model/histogram_arithmetic.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "model/histogram_buckets.h"
#include "model/histogram_side.h"
#include "model/kahan_sum.h"

namespace gauntlet {
namespace {

using Side = BucketCursor::Side;

// A side taken out of a histogram and its compensation for a change, and put back.
HistogramSide Take(Histogram& h, HistogramCompensation* c, Side side) {
  const bool positive = side == Side::kPositive;
  HistogramSide out;
  out.spans = std::move(positive ? h.positive_spans : h.negative_spans);
  out.counts = std::move(positive ? h.positive_buckets : h.negative_buckets);
  if (c != nullptr) {
    out.compensations = std::move(positive ? c->positive : c->negative);
    out.compensations.resize(out.counts.size());
  }
  return out;
}

void Put(Histogram& h, HistogramCompensation* c, Side side, HistogramSide&& from) {
  const bool positive = side == Side::kPositive;
  (positive ? h.positive_spans : h.negative_spans) = std::move(from.spans);
  (positive ? h.positive_buckets : h.negative_buckets) = std::move(from.counts);
  if (c != nullptr) (positive ? c->positive : c->negative) = std::move(from.compensations);
}

HistogramSideView View(const Histogram& h, Side side) {
  return side == Side::kPositive ? HistogramSideView(h.positive_spans, h.positive_buckets)
                                 : HistogramSideView(h.negative_spans, h.negative_buckets);
}

template <typename Fn>
void ForEachCount(Histogram& h, Fn fn) {
  // With custom buckets there is no zero bucket: what a product makes of its 0 does not last.
  if (h.uses_custom_buckets()) h.zero_count = 0;
  fn(h.zero_count);
  fn(h.count);
  fn(h.sum);
  for (double& v : h.positive_buckets) fn(v);
  for (double& v : h.negative_buckets) fn(v);
}

template <typename Fn>
void ForEachCompensation(HistogramCompensation& c, Fn fn) {
  fn(c.zero_count);
  fn(c.count);
  fn(c.sum);
  for (double& v : c.positive) fn(v);
  for (double& v : c.negative) fn(v);
}

// The hint of a sum. True on a collision.
bool JoinHints(Histogram& h, ResetHint other) {
  if (other == h.reset_hint || h.reset_hint == ResetHint::kGauge) return false;
  if (other == ResetHint::kGauge) {
    h.reset_hint = ResetHint::kGauge;
    return false;
  }
  const bool collision = h.reset_hint != ResetHint::kUnknown && other != ResetHint::kUnknown;
  h.reset_hint = ResetHint::kUnknown;
  return collision;
}

// Empties the buckets that the zero bucket has swallowed.
void ClearBelowZeroThreshold(Histogram& h, HistogramCompensation* c) {
  for (Side side : {Side::kPositive, Side::kNegative}) {
    size_t swallowed = 0;
    for (BucketCursor cursor(h, side); cursor.Next(); ++swallowed) {
      HistogramBucket bucket = cursor.bucket();
      if (side == Side::kPositive ? bucket.lower >= h.zero_threshold : bucket.upper <= -h.zero_threshold) break;
    }
    HistogramSide taken = Take(h, c, side);
    std::fill_n(taken.counts.begin(), swallowed, 0.0);
    if (c != nullptr) std::fill_n(taken.compensations.begin(), swallowed, 0.0);
    DropEmptyBuckets(&taken);
    Put(h, c, side, std::move(taken));
  }
}

// Widens the zero bucket of `h` until both histograms can have it; what the zero bucket of `other` would then hold.
WidenedZeroBucket ReconcileZeroBuckets(Histogram& h, const Histogram& other, HistogramCompensation* c) {
  WidenedZeroBucket theirs{other.zero_count, other.zero_threshold, 0};
  while (theirs.threshold != h.zero_threshold) {
    const double before = h.zero_threshold, theirs_before = theirs.threshold;
    if (h.zero_threshold > theirs.threshold) theirs = WidenZeroBucket(other, h.zero_threshold);
    if (theirs.threshold > h.zero_threshold) {
      WidenedZeroBucket mine = WidenZeroBucket(h, theirs.threshold, c);
      h.zero_count = mine.count;
      h.zero_threshold = mine.threshold;
      if (c != nullptr) c->zero_count = mine.compensation;
      ClearBelowZeroThreshold(h, c);
    }
    if (before == h.zero_threshold && theirs_before == theirs.threshold) break;
    if (std::isnan(h.zero_threshold) || std::isnan(theirs.threshold)) break;
  }
  return theirs;
}

std::vector<double> CommonBounds(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> common;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(common));
  return common;
}

template <bool kCompensated>
void AddBuckets(Histogram& h, const Histogram& other, double sign, HistogramCompensation* c, Side side,
                int32_t schema) {
  HistogramSideView theirs = View(other, side);
  if (h.schema == schema && other.schema == schema) {
    const bool positive = side == Side::kPositive;
    double* compensations = kCompensated ? (positive ? c->positive : c->negative).data() : nullptr;
    if (AddSideInPlace<kCompensated>(positive ? h.positive_spans : h.negative_spans,
                                     positive ? h.positive_buckets : h.negative_buckets, compensations, theirs, sign,
                                     schema, h.zero_threshold)) {
      return;
    }
  }
  HistogramSide mine = Take(h, c, side);
  if (h.schema > schema) mine = ReduceSide(mine, h.schema - schema);
  if (other.schema > schema && !theirs.counts.empty()) {
    const std::vector<double> zeros(kCompensated ? theirs.counts.size() : 0);
    theirs.compensations = zeros;
    AddSide<kCompensated>(&mine, ReduceSide(theirs, other.schema - schema), sign, schema, h.zero_threshold);
  } else {
    AddSide<kCompensated>(&mine, theirs, sign, schema, h.zero_threshold);
  }
  Put(h, c, side, std::move(mine));
}

template <bool kCompensated>
HistogramMeeting Meet(Histogram& h, const Histogram& other, double sign, HistogramCompensation* c) {
  HistogramMeeting meeting;
  meeting.compatible = h.uses_custom_buckets() == other.uses_custom_buckets();
  if (!meeting.compatible) return meeting;
  if (h.uses_custom_buckets()) h.zero_count = 0;
  meeting.reset_collision = JoinHints(h, other.reset_hint);
  const bool custom = h.uses_custom_buckets();
  if constexpr (kCompensated) {
    c->used = true;
    c->positive.resize(h.positive_buckets.size());
    c->negative.resize(h.negative_buckets.size());
    if (!custom) {
      WidenedZeroBucket zero = ReconcileZeroBuckets(h, other, c);
      KahanAdd(zero.count, h.zero_count, c->zero_count);
      KahanAdd(zero.compensation, h.zero_count, c->zero_count);
    }
    KahanAdd(other.count, h.count, c->count);
    KahanAdd(other.sum, h.sum, c->sum);
  } else {
    if (!custom) h.zero_count += sign * ReconcileZeroBuckets(h, other, nullptr).count;
    h.count += sign * other.count;
    h.sum += sign * other.sum;
  }
  if (!custom) {
    const int32_t schema = std::min(h.schema, other.schema);
    AddBuckets<kCompensated>(h, other, sign, c, Side::kPositive, schema);
    AddBuckets<kCompensated>(h, other, sign, c, Side::kNegative, schema);
    h.schema = schema;
    return meeting;
  }
  if (h.custom_values == other.custom_values) {
    AddBuckets<kCompensated>(h, other, sign, c, Side::kPositive, h.schema);
    return meeting;
  }
  meeting.bounds_reconciled = true;
  std::vector<double> common = CommonBounds(h.custom_values, other.custom_values);
  HistogramSide mine = Take(h, c, Side::kPositive);
  HistogramSide sum =
      MergeCustomSides(mine, h.custom_values, View(other, Side::kPositive), other.custom_values, sign, common);
  Put(h, c, Side::kPositive, std::move(sum));
  h.custom_values = std::move(common);
  return meeting;
}

}  // namespace

HistogramMeeting AddHistogram(Histogram& h, const Histogram& other) { return Meet<false>(h, other, 1, nullptr); }

HistogramMeeting SubtractHistogram(Histogram& h, const Histogram& other) { return Meet<false>(h, other, -1, nullptr); }

HistogramMeeting KahanAddHistogram(Histogram& h, const Histogram& other, HistogramCompensation& c) {
  return Meet<true>(h, other, 1, &c);
}

void AddCompensation(Histogram& h, const HistogramCompensation& c) {
  h.zero_count += c.zero_count;
  h.count += c.count;
  h.sum += c.sum;
  auto add = [&](Side side, const std::vector<double>& compensations) {
    HistogramSide mine = Take(h, nullptr, side);
    const std::vector<HistogramSpan> spans = mine.spans;
    AddSide<false>(&mine, HistogramSideView(spans, compensations), 1, h.schema, h.zero_threshold);
    Put(h, nullptr, side, std::move(mine));
  };
  add(Side::kPositive, c.positive);
  add(Side::kNegative, c.negative);
}

void MultiplyHistogram(Histogram& h, double factor) {
  ForEachCount(h, [factor](double& v) { v *= factor; });
  if (factor < 0) h.reset_hint = ResetHint::kGauge;
}

void DivideHistogram(Histogram& h, double divisor) {
  if (divisor == 0) {
    h.positive_spans.clear();
    h.negative_spans.clear();
    h.positive_buckets.clear();
    h.negative_buckets.clear();
  }
  ForEachCount(h, [divisor](double& v) { v /= divisor; });
  if (divisor < 0) h.reset_hint = ResetHint::kGauge;
}

void ReduceResolution(Histogram& h, int32_t target_schema) {
  if (h.schema <= target_schema) return;
  for (Side side : {Side::kPositive, Side::kNegative}) {
    Put(h, nullptr, side, ReduceSide(Take(h, nullptr, side), h.schema - target_schema));
  }
  h.schema = target_schema;
}

bool HasOverflow(const Histogram& h) {
  auto any = [](const std::vector<double>& values) {
    return std::any_of(values.begin(), values.end(), [](double v) { return std::isinf(v); });
  };
  return std::isinf(h.zero_count) || std::isinf(h.count) || std::isinf(h.sum) || any(h.positive_buckets) ||
         any(h.negative_buckets) || any(h.custom_values);
}

void HistogramCompensation::Multiply(double factor) {
  ForEachCompensation(*this, [factor](double& v) { v *= factor; });
}
void HistogramCompensation::Divide(double divisor) {
  ForEachCompensation(*this, [divisor](double& v) { v /= divisor; });
}

WidenedZeroBucket WidenZeroBucket(const Histogram& h, double threshold, const HistogramCompensation* c) {
  double compensation = c != nullptr ? c->zero_count : 0;
  if (threshold == h.zero_threshold) return {h.zero_count, threshold, compensation};
  for (;;) {
    // Upstream does not start the compensation anew either.
    WidenedZeroBucket zero{h.zero_count, threshold, compensation};
    auto swallow = [&](double count, const std::vector<double>* compensations, size_t position) {
      KahanAdd(count, zero.count, zero.compensation);
      if (compensations != nullptr && position < compensations->size()) {
        KahanAdd((*compensations)[position], zero.count, zero.compensation);
      }
    };
    size_t position = 0;
    for (BucketCursor cursor(h, Side::kPositive); cursor.Next(); ++position) {
      HistogramBucket bucket = cursor.bucket();
      if (bucket.lower >= zero.threshold) break;
      swallow(bucket.count, c != nullptr ? &c->positive : nullptr, position);
      if (bucket.upper > zero.threshold) {
        if (bucket.count != 0) zero.threshold = bucket.upper;
        break;
      }
    }
    bool again = false;
    position = 0;
    for (BucketCursor cursor(h, Side::kNegative); cursor.Next(); ++position) {
      HistogramBucket bucket = cursor.bucket();
      if (bucket.upper <= -zero.threshold) break;
      swallow(bucket.count, c != nullptr ? &c->negative : nullptr, position);
      if (bucket.lower < -zero.threshold) {
        // What was decided on the positive side no longer holds.
        again = bucket.count != 0;
        threshold = -bucket.lower;
        break;
      }
    }
    if (!again) return zero;
    compensation = zero.compensation;
  }
}

}  // namespace gauntlet
