// Builder: from plan nodes to operators.
//
// To add a function: its kernel in the file of its family, and, when it is neither a range function nor elementwise, a
// case in Builder::Function.
//
// Threads: one thread at a time. Outlives what it makes: long chains are made while they run.

#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "promql/exec/rows/context.h"
#include "promql/exec/rows/operator.h"
#include "promql/exec/rows/stage.h"
#include "promql/plan/node.h"

namespace gauntlet::promql {

class SharedRows;

class Builder {
 public:
  Builder(ExecContext& context, bool per_step_stats) : context_(context), per_step_stats_(per_step_stats) {}

  // An operator for a vector or a scalar; `scope` counts samples on the node's grid.
  Result<std::unique_ptr<Operator>> Vector(const PlanNode& node, SampleScope* scope);
  Result<std::unique_ptr<ScalarOperator>> Scalar(const PlanNode& node, SampleScope* scope);
  // The inside of a subquery, on its own grid. `is_result`: of the query, and not of a function over it.
  Result<std::unique_ptr<Operator>> SubqueryRows(const SubqueryNode& node, SampleScope* scope, bool is_result = false);

  // A binary operator over rows that are there already; `lhs` is null where the left side is a scalar.
  Result<std::unique_ptr<Operator>> Combine(const BinaryNode& node, std::unique_ptr<Operator> lhs, SampleScope* scope);

  // A scope with the per-step counters that the grid needs.
  std::unique_ptr<SampleScope> MakeScope(const StepGrid& grid, bool per_step) const;

 private:
  using Vectors = Result<std::unique_ptr<Operator>>;
  using Scalars = Result<std::unique_ptr<ScalarOperator>>;

  Vectors Shared(const PlanNode& node, SampleScope* scope);
  Vectors VectorOf(const PlanNode& node, SampleScope* scope);
  Vectors Function(const FunctionNode& node, SampleScope* scope);
  Vectors RangeFunction(const RangeFunctionNode& node, SampleScope* scope);
  Vectors Aggregate(const AggregateNode& node, SampleScope* scope);
  Vectors Binary(const BinaryNode& node, SampleScope* scope);
  Scalars ScalarBinary(const BinaryNode& top, SampleScope* scope);
  Scalars ScalarFunction(const FunctionNode& node, SampleScope* scope);
  Result<std::vector<std::unique_ptr<ScalarOperator>>> ScalarArgs(const std::vector<PlanPtr>& args, SampleScope* scope);
  // Series may become equal when `input` loses its names.
  bool Careful(const PlanNode& input) const {
    return !context_.options.delayed_name_removal && (context_.options.careful || !input.single_name);
  }
  // A stage over `input`; with `careful` above it the merging of what became equal.
  std::unique_ptr<Operator> Staged(const PlanNode& node, std::unique_ptr<Operator> input, std::unique_ptr<Stage> stage,
                                   bool careful, SampleScope* scope);

  ExecContext& context_;
  const bool per_step_stats_;
  std::unordered_map<const PlanNode*, std::shared_ptr<SharedRows>> shared_;  // of nodes used more than once
};

}  // namespace gauntlet::promql
