// Histograms of the judge: buckets in maps by index, and what functions and operators do with them, as plainly as can
// be.
//
// Compensation is left out: the random data has whole counts, whose sums are exact.
//
// Upstream: prometheus model/histogram/float_histogram.go, promql/functions.go, promql/quantile.go
// Threads:  values and functions.

#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "model/histogram.h"
#include "promql/syntax/ast.h"

namespace gauntlet::promql {

struct JudgeHistogram {
  ResetHint hint = ResetHint::kUnknown;
  int32_t schema = 0;
  double zero_threshold = 0, zero_count = 0, count = 0, sum = 0;
  std::map<int32_t, double> positive, negative;
  std::vector<double> bounds;

  explicit JudgeHistogram(const Histogram& h);
  JudgeHistogram() = default;
  Histogram ToModel() const;
  bool custom() const { return schema == kCustomBucketsSchema; }
};

// A float, or a histogram where there is one.
struct JudgeValue {
  double f = 0;
  std::shared_ptr<const JudgeHistogram> h;

  JudgeValue(double value = 0) : f(value) {}  // NOLINT(google-explicit-constructor)
  JudgeValue(JudgeHistogram value)            // NOLINT(google-explicit-constructor)
      : h(std::make_shared<const JudgeHistogram>(std::move(value))) {}
  std::string ToString() const;
};
using JudgeWindow = std::vector<std::pair<int64_t, JudgeValue>>;

bool SameJudgeValue(const JudgeValue& a, const JudgeValue& b);

// Nothing when custom and exponential buckets meet.
std::optional<JudgeHistogram> AddJudged(const JudgeHistogram& a, const JudgeHistogram& b, double sign);
// Without empty buckets.
JudgeHistogram Compacted(JudgeHistogram h);
JudgeHistogram ScaleJudged(JudgeHistogram h, double factor);
JudgeHistogram DivideJudged(JudgeHistogram h, double divisor);
bool WasReset(const JudgeHistogram& now, const JudgeHistogram& before);

// What vectorElemBinop gives: nothing where it has a note instead. `keep`: of a comparison.
std::optional<JudgeValue> CombineJudged(BinaryOp op, const JudgeValue& a, const JudgeValue& b, bool* keep);
// Of a sum or an average over samples in their order, of which at least one is a histogram.
std::optional<JudgeValue> TotalJudged(const std::vector<JudgeValue>& values, bool average);
// Of functions that know histograms, over a window with at least one.
std::optional<JudgeValue> RangeJudged(const std::string& function, const JudgeWindow& window, int64_t range_start,
                                      int64_t range_end);

// judge_estimate.cc
double QuantileJudged(double q, const JudgeHistogram& h);
double FractionJudged(double lower, double upper, const JudgeHistogram& h);
double VarianceJudged(const JudgeHistogram& h);

}  // namespace gauntlet::promql
