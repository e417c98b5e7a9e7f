#include "promql/plan/arithmetic.h"

#include <cmath>
#include <limits>

#include "model/go/math.h"

namespace gauntlet::promql {

double ApplyScalar(BinaryOp op, double lhs, double rhs) {
  switch (op) {
    case BinaryOp::kAdd:
      return lhs + rhs;
    case BinaryOp::kSub:
      return lhs - rhs;
    case BinaryOp::kMul:
      return lhs * rhs;
    case BinaryOp::kDiv:
      return lhs / rhs;
    case BinaryOp::kMod:
      return std::fmod(lhs, rhs);
    case BinaryOp::kPow:
      return GoPow(lhs, rhs);
    case BinaryOp::kAtan2:
      return GoAtan2(lhs, rhs);
    case BinaryOp::kEqual:
      return lhs == rhs;
    case BinaryOp::kNotEqual:
      return lhs != rhs;
    case BinaryOp::kLess:
      return lhs < rhs;
    case BinaryOp::kLessEqual:
      return lhs <= rhs;
    case BinaryOp::kGreater:
      return lhs > rhs;
    case BinaryOp::kGreaterEqual:
      return lhs >= rhs;
    default:
      return std::numeric_limits<double>::quiet_NaN();  // not an operator between scalars: the parser refuses it
  }
}

}  // namespace gauntlet::promql
