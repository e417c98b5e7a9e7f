// Judge: a plain evaluator, test-only, that goes node by node and step by step as upstream does. Slow, short, and
// without a line in common with promql/exec: what both answer alike is believed.
//
// Errors are told by their text; annotations are not judged.
//
// Upstream: prometheus promql/engine.go (rangeEval)
// Threads:  one thread at a time.

#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "model/labels.h"
#include "model/samples.h"
#include "promql/engine/testing/judge_histogram.h"
#include "promql/syntax/ast.h"

namespace gauntlet::promql {

struct JudgeSeries {
  Labels labels;
  bool drop_name = false;
  std::map<int64_t, JudgeValue> points;  // by time
};
using JudgeMatrix = std::vector<JudgeSeries>;

struct JudgeOptions {
  bool delayed_name_removal = false;
  int64_t lookback_ms = 5 * 60 * 1000;
  int64_t subquery_step_ms = 60'000;
};

class Judge {
 public:
  // Series in the order of their labels; borrowed.
  Judge(const std::vector<std::pair<Labels, Samples>>& data, JudgeOptions options);

  // What the expression gives at start, start + step, .. end. Sets error() when it gives none.
  JudgeMatrix Evaluate(const Expr& expr, int64_t start_ms, int64_t end_ms, int64_t step_ms);
  const std::string& error() const { return error_; }

 private:
  struct Grid {
    int64_t start, end, step;
    bool one() const { return start == end; }
  };
  struct Sample {
    Labels labels;
    JudgeValue value;
    bool drop_name;
    int64_t time;  // of the sample itself, for timestamp()
  };
  using Vector = std::vector<Sample>;

  // judge.cc
  JudgeMatrix Eval(const Expr& expr, const Grid& grid);
  // Calls fn with the vectors of each step; joins what it gives into series.
  using StepFunction = std::function<Vector(std::vector<Vector>&, int64_t time_ms)>;
  JudgeMatrix StepByStep(const std::vector<const Expr*>& exprs, const Grid& grid, const StepFunction& fn);
  JudgeMatrix Merge(JudgeMatrix in);
  void Drop(Sample* sample) const;
  static const Expr& Bare(const Expr& e);  // without parentheses
  static Labels WithoutMetadata(const Labels& labels);

  // judge_select.cc
  JudgeMatrix EvalSelector(const VectorSelector& selector, const Grid& grid, bool timestamps);
  // Which selectors see only count and sum of histograms.
  void MarkStatistics(const Expr& expr, bool wanted, bool buckets);
  // The samples of a selector as it sees them.
  std::map<int64_t, JudgeValue> Visible(size_t series, const VectorSelector& selector, const Grid& grid,
                                        int64_t window_ms) const;
  // The time that is looked at for the step at `t`.
  int64_t Reference(const TimeModifiers& time, int64_t t) const;
  static bool IsStale(const JudgeValue& v);

  // judge_range.cc
  JudgeMatrix EvalRangeCall(const Call& call, const Expr& range, const Grid& grid);
  JudgeMatrix EvalAbsentOverTime(const Expr& range, JudgeMatrix present, const Grid& grid);
  JudgeValue RangeValue(const std::string& name, JudgeWindow window, int64_t now, int64_t range_start,
                        int64_t range_end, const std::vector<double>& args, bool* has);
  double RangeFloat(const std::string& name, const std::vector<std::pair<int64_t, double>>& window, int64_t now,
                    int64_t range_start, int64_t range_end, const std::vector<double>& args, bool* has);

  // judge_call.cc
  JudgeMatrix EvalCall(const Call& call, const Grid& grid);
  JudgeMatrix EvalLabels(const Call& call, const Grid& grid);
  // What absent() can tell of a series that is not there.
  static Labels AbsentLabels(const Matchers& matchers);
  // Quantiles or fractions of classic buckets and native histograms.
  Vector Estimate(const Vector& in, const std::function<double(std::vector<std::pair<double, double>>)>& classic,
                  const std::function<double(const JudgeHistogram&)>& native);

  // judge_binary.cc
  JudgeMatrix EvalBinary(const BinaryExpr& binary, const Grid& grid);
  Vector VectorBinary(const BinaryExpr& binary, const Vector& lhs, const Vector& rhs);
  Vector SetOperation(const BinaryExpr& binary, const Vector& lhs, const Vector& rhs);

  // judge_aggregate.cc
  JudgeMatrix EvalAggregate(const AggregateExpr& aggregate, const Grid& grid);
  Vector TopK(const AggregateExpr& aggregate, const Vector& in, double k, size_t series);
  Labels GroupLabels(const Labels& labels, const std::vector<std::string>& names, bool keep) const;
  void Fail(std::string text) {
    if (error_.empty()) error_ = std::move(text);
  }

  static constexpr char kSameLabels[] = "vector cannot contain metrics with the same labelset";

  std::vector<std::pair<Labels, std::map<int64_t, JudgeValue>>> data_;
  std::set<const Expr*> statistics_;
  const JudgeOptions options_;
  int64_t query_start_ = 0, query_end_ = 0;
  std::string error_;
};

}  // namespace gauntlet::promql
