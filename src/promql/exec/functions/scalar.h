// Scalar expressions: numbers, time(), pi(), scalar(v), and arithmetic between scalars.
//
// Upstream: prometheus promql/engine.go (scalarBinop), functions.go
// Threads:  one thread at a time.

#pragma once

#include <memory>
#include <vector>

#include "promql/exec/rows/operator.h"

namespace gauntlet::promql {

std::unique_ptr<ScalarOperator> MakeConstant(ExecContext& context, double value, uint32_t steps);
// time(): each step's time in seconds.
std::unique_ptr<ScalarOperator> MakeTime(ExecContext& context, const StepGrid& grid);
// The value of one float series; NaN where there is none or are several.
std::unique_ptr<ScalarOperator> MakeScalarOfVector(ExecContext& context, const PlanNode& node,
                                                   std::unique_ptr<Operator> input);
// first op rhs op rhs ..., from left to right.
struct ScalarTerm {
  BinaryOp op;
  std::unique_ptr<ScalarOperator> rhs;
};
std::unique_ptr<ScalarOperator> MakeScalarChain(ExecContext& context, std::unique_ptr<ScalarOperator> first,
                                                std::vector<ScalarTerm> terms);
std::unique_ptr<ScalarOperator> MakeScalarNegate(ExecContext& context, std::unique_ptr<ScalarOperator> input);
// Evaluates at one step, repeats at `steps`; what `inner` counted counts at each of them in `outer`.
std::unique_ptr<ScalarOperator> MakeScalarRepeat(ExecContext& context, std::unique_ptr<ScalarOperator> input,
                                                 uint32_t steps, std::unique_ptr<SampleScope> inner,
                                                 SampleScope* outer);
// max_of and min_of.
std::unique_ptr<ScalarOperator> MakeScalarExtremum(ExecContext& context, bool maximum,
                                                   std::unique_ptr<ScalarOperator> lhs,
                                                   std::unique_ptr<ScalarOperator> rhs);

// A vector of one series without labels: vector(s), and scalars where a result is wanted as series.
std::unique_ptr<Operator> MakeVectorOfScalar(ExecContext& context, const PlanNode& node,
                                             std::unique_ptr<ScalarOperator> input);

}  // namespace gauntlet::promql
