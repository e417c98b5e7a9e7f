// Aggregations: series folded into groups.
//
// Most fold a series into [groups x steps] and forget it: an Accumulator each, below one operator. Those that keep
// series as they are (topk, limitk) or make series of values (count_values) are operators of their own.
//
// To add one: derive from Accumulator in a file of its family and name it in MakeAccumulator.
//
// Upstream: prometheus promql/engine.go (rangeEvalAgg, aggregation)
// Threads:  as Operator.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "promql/exec/rows/grouping.h"
#include "promql/exec/rows/operator.h"

namespace gauntlet::promql {

// The state of all groups of one aggregation.
class Accumulator {
 public:
  virtual ~Accumulator() = default;
  // One more group. Returns the bytes it takes.
  virtual size_t AddGroup() = 0;
  // Folds a row into a group; may take it. Returns the bytes that the group grew by.
  virtual Result<size_t> Add(uint32_t group, Row* row, AnnotationSet* annotations) = 0;
  // The result of a group, whose state may go; `out` has nothing present.
  virtual Status Finish(uint32_t group, Column* out, AnnotationSet* annotations) = 0;
};

struct AggregateCall {
  AggregateOp op;
  uint32_t steps;
  PositionRange expr_pos;             // of what is aggregated
  const std::vector<double>* params;  // one per step, for quantile; else empty
  const ExecContext* context;
};

std::unique_ptr<Accumulator> MakeSumAccumulator(const AggregateCall& call);       // sum, avg
std::unique_ptr<Accumulator> MakeExtremumAccumulator(const AggregateCall& call);  // min, max
std::unique_ptr<Accumulator> MakeCountAccumulator(const AggregateCall& call);     // count, group
std::unique_ptr<Accumulator> MakeVarianceAccumulator(const AggregateCall& call);  // stddev, stdvar
std::unique_ptr<Accumulator> MakeQuantileAccumulator(const AggregateCall& call);

// sum, avg, min, max, count, group, stddev, stdvar, quantile. `param` may be null.
std::unique_ptr<Operator> MakeAggregate(ExecContext& context, const AggregateNode& node,
                                        std::unique_ptr<ScalarOperator> param, std::unique_ptr<Operator> input);
// topk, bottomk.
std::unique_ptr<Operator> MakeTopK(ExecContext& context, const AggregateNode& node,
                                   std::unique_ptr<ScalarOperator> param, std::unique_ptr<Operator> input);
// limitk, limit_ratio.
std::unique_ptr<Operator> MakeLimit(ExecContext& context, const AggregateNode& node,
                                    std::unique_ptr<ScalarOperator> param, std::unique_ptr<Operator> input);
std::unique_ptr<Operator> MakeCountValues(ExecContext& context, const AggregateNode& node, std::string label,
                                          std::unique_ptr<Operator> input);

// The parameter of all steps, and what upstream asks about it.
struct AggregateParams {
  std::vector<double> values;
  double min = 0, max = 0;
  bool any_nan = false;
};
Result<AggregateParams> EvaluateParams(ScalarOperator& param, bool constant);
// Whether all of them may be the k of topk, bottomk or limitk.
Status CheckCountParams(const AggregateParams& params);

}  // namespace gauntlet::promql
