// Kernels of the binary operators: whole columns of floats at once.
//
// An arithmetic kernel writes every position, present or not; a comparison also gives the bits of the steps at which it
// holds, to be ANDed with what is present.
//
// Threads: functions.

#pragma once

#include <cmath>
#include <cstdint>

#include "promql/syntax/ast.h"

namespace gauntlet::promql {

// out[i] = lhs[i] op rhs[i] for i < size, for + - * / % ^ atan2. `out` may be one of the operands.
void ApplyArithmetic(BinaryOp op, const double* lhs, const double* rhs, double* out, uint32_t size);
// holds: one bit per i < size, (size + 63) / 64 words, for == != < <= > >=.
void ApplyComparison(BinaryOp op, const double* lhs, const double* rhs, uint64_t* holds, uint32_t size);

// + - * / % ^ atan2: what they make is another metric than their operands.
bool ChangesMetric(BinaryOp op);

}  // namespace gauntlet::promql
