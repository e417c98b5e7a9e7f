#include "promql/exec/binary/binary_kernels.h"

#include <algorithm>

#include "model/go/math.h"

namespace gauntlet::promql {
namespace {

template <typename Fn>
void Map(const double* lhs, const double* rhs, double* out, uint32_t size, Fn fn) {
  for (uint32_t i = 0; i < size; ++i) out[i] = fn(lhs[i], rhs[i]);
}

template <typename Fn>
void Compare(const double* lhs, const double* rhs, uint64_t* holds, uint32_t size, Fn fn) {
  for (uint32_t begin = 0; begin < size; begin += 64) {
    uint64_t bits = 0;
    uint32_t count = std::min(64u, size - begin);
    for (uint32_t i = 0; i < count; ++i) bits |= uint64_t{fn(lhs[begin + i], rhs[begin + i])} << i;
    holds[begin / 64] = bits;
  }
}

}  // namespace

void ApplyArithmetic(BinaryOp op, const double* lhs, const double* rhs, double* out, uint32_t size) {
  switch (op) {
    case BinaryOp::kAdd:
      return Map(lhs, rhs, out, size, [](double a, double b) { return a + b; });
    case BinaryOp::kSub:
      return Map(lhs, rhs, out, size, [](double a, double b) { return a - b; });
    case BinaryOp::kMul:
      return Map(lhs, rhs, out, size, [](double a, double b) { return a * b; });
    case BinaryOp::kDiv:
      return Map(lhs, rhs, out, size, [](double a, double b) { return a / b; });
    case BinaryOp::kMod:
      return Map(lhs, rhs, out, size, [](double a, double b) { return std::fmod(a, b); });
    case BinaryOp::kPow:
      return Map(lhs, rhs, out, size, [](double a, double b) { return GoPow(a, b); });
    case BinaryOp::kAtan2:
      return Map(lhs, rhs, out, size, [](double a, double b) { return GoAtan2(a, b); });
    default:
      break;
  }
}

void ApplyComparison(BinaryOp op, const double* lhs, const double* rhs, uint64_t* holds, uint32_t size) {
  switch (op) {
    case BinaryOp::kEqual:
      return Compare(lhs, rhs, holds, size, [](double a, double b) { return a == b; });
    case BinaryOp::kNotEqual:
      return Compare(lhs, rhs, holds, size, [](double a, double b) { return a != b; });
    case BinaryOp::kLess:
      return Compare(lhs, rhs, holds, size, [](double a, double b) { return a < b; });
    case BinaryOp::kLessEqual:
      return Compare(lhs, rhs, holds, size, [](double a, double b) { return a <= b; });
    case BinaryOp::kGreater:
      return Compare(lhs, rhs, holds, size, [](double a, double b) { return a > b; });
    case BinaryOp::kGreaterEqual:
      return Compare(lhs, rhs, holds, size, [](double a, double b) { return a >= b; });
    default:
      break;
  }
}

bool ChangesMetric(BinaryOp op) {
  switch (op) {
    case BinaryOp::kAdd:
    case BinaryOp::kSub:
    case BinaryOp::kMul:
    case BinaryOp::kDiv:
    case BinaryOp::kMod:
    case BinaryOp::kPow:
    case BinaryOp::kAtan2:
      return true;
    default:
      return false;
  }
}

}  // namespace gauntlet::promql
