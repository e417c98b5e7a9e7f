// HistogramTotal: the sum or the mean of histograms, with compensation, as aggregations and *_over_time have it.
//
// The mean divides the sum at the end while the sum does not overflow, and from there on is kept as a mean.
//
// Upstream: prometheus promql/functions.go (funcSumOverTime, funcAvgOverTime), engine.go (aggregation)
// Threads:  one thread at a time.

#pragma once

#include "model/histogram.h"
#include "model/histogram_arithmetic.h"

namespace gauntlet::promql {

class HistogramTotal {
 public:
  HistogramTotal(const Histogram& first, bool average) : average_(average), total_(first) { Watch(first.reset_hint); }

  // False when custom and exponential buckets meet: then the total is worth nothing.
  bool Add(const Histogram& h);
  // Some had custom bounds that others had not.
  bool bounds_reconciled() const { return bounds_reconciled_; }
  // Some say that their counter was reset, others that it was not.
  bool reset_collision() const { return reset_ && not_reset_; }
  Histogram Finish() &&;

 private:
  void Watch(ResetHint hint) {
    reset_ = reset_ || hint == ResetHint::kReset;
    not_reset_ = not_reset_ || hint == ResetHint::kNotReset;
  }
  bool Note(const HistogramMeeting& meeting) {
    bounds_reconciled_ = bounds_reconciled_ || meeting.bounds_reconciled;
    return meeting.compatible;
  }
  bool AddToMean(const Histogram& h);

  const bool average_;
  Histogram total_;
  HistogramCompensation c_;
  double count_ = 1;
  bool incremental_ = false;  // total_ is a mean already
  bool bounds_reconciled_ = false, reset_ = false, not_reset_ = false;
};

}  // namespace gauntlet::promql
