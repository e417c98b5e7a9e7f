// Arithmetic and comparisons of two scalars.
//
// Threads: a function.

#pragma once

#include "promql/syntax/ast.h"

namespace gauntlet::promql {

// A comparison gives 0 or 1. REQUIRES: an operator between scalars; others give NaN.
double ApplyScalar(BinaryOp op, double lhs, double rhs);

}  // namespace gauntlet::promql
