#include "promql/exec/histograms/histogram_total.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace gauntlet::promql {
namespace {

// So large, or so far from being a number, that a sum with it may overflow. Millions of smaller ones cannot.
bool IsRisky(double v) { return !(std::fabs(v) < 1e300); }

bool IsRisky(const Histogram& h) {
  auto any = [](const std::vector<double>& values) {
    return std::any_of(values.begin(), values.end(), [](double v) { return IsRisky(v); });
  };
  return IsRisky(h.zero_count) || IsRisky(h.count) || IsRisky(h.sum) || any(h.positive_buckets) ||
         any(h.negative_buckets) || any(h.custom_values);
}

}  // namespace

bool HistogramTotal::Add(const Histogram& h) {
  Watch(h.reset_hint);
  ++count_;
  if (!average_) return Note(KahanAddHistogram(total_, h, c_));
  return AddToMean(h);
}

bool HistogramTotal::AddToMean(const Histogram& h) {
  if (!incremental_) {
    if (!IsRisky(total_) && !IsRisky(h)) return Note(KahanAddHistogram(total_, h, c_));
    Histogram sum = total_;
    HistogramCompensation c = c_;
    if (!Note(KahanAddHistogram(sum, h, c))) return false;
    if (!HasOverflow(sum)) {
      total_ = std::move(sum);
      c_ = std::move(c);
      return true;
    }
    incremental_ = true;
    DivideHistogram(total_, count_ - 1);
    c_.Divide(count_ - 1);
  }
  const double q = (count_ - 1) / count_;
  c_.Multiply(q);
  MultiplyHistogram(total_, q);
  Histogram part = h;
  DivideHistogram(part, count_);
  return Note(KahanAddHistogram(total_, part, c_));
}

Histogram HistogramTotal::Finish() && {
  if (average_ && !incremental_) {
    DivideHistogram(total_, count_);
    c_.Divide(count_);
  }
  if (c_.used) AddCompensation(total_, c_);
  return std::move(total_);
}

}  // namespace gauntlet::promql
