// Binary operators between two vectors: arithmetic and comparisons by matching labels, and the set operators.
//
// Upstream: prometheus promql/engine.go (VectorBinop, VectorAnd, VectorOr, VectorUnless, resultMetric)
// Threads:  as Operator.

#pragma once

#include <memory>

#include "promql/exec/rows/operator.h"

namespace gauntlet::promql {

std::unique_ptr<Operator> MakeBinaryVector(ExecContext& context, const BinaryNode& node, std::unique_ptr<Operator> lhs,
                                           std::unique_ptr<Operator> rhs);
// and, or, unless.
std::unique_ptr<Operator> MakeSetOperator(ExecContext& context, const BinaryNode& node, std::unique_ptr<Operator> lhs,
                                          std::unique_ptr<Operator> rhs);

}  // namespace gauntlet::promql
