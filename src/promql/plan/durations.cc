#include "promql/plan/durations.h"

#include <fmt/format.h>

#include <algorithm>

#include <cmath>
#include "model/go/math.h"

namespace gauntlet::promql {
namespace {

Status Error(const Expr& expr, std::string_view what) {
  return Status(Code::kInvalid, fmt::format("{}:{}: {}", expr.pos.start, expr.pos.end, what));
}

// Go's math.Min and math.Max: NaN when one is, -0 below +0.
double GoMin(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return std::isinf(a) && a < 0 ? a : std::isinf(b) && b < 0 ? b : std::nan("");
  if (a == b) return std::signbit(a) ? a : b;
  return std::min(a, b);
}
double GoMax(double a, double b) { return -GoMin(-a, -b); }

Result<double> Seconds(const Expr& expr, const QueryTimes& times) {
  if (expr.kind == NodeKind::kNumber) return static_cast<const NumberLiteral&>(expr).value;
  const auto& node = static_cast<const DurationExpr&>(expr);
  double lhs = 0, rhs = 0;
  if (node.lhs != nullptr) {
    GN_ASSIGN(lhs, Seconds(*node.lhs, times));
  }
  if (node.rhs != nullptr) {
    GN_ASSIGN(rhs, Seconds(*node.rhs, times));
  }
  switch (node.op) {
    case DurationExpr::Op::kAdd:
      return lhs + rhs;
    case DurationExpr::Op::kSub:
      return lhs - rhs;
    case DurationExpr::Op::kMul:
      return lhs * rhs;
    case DurationExpr::Op::kDiv:
      if (rhs == 0) return Error(expr, "division by zero");
      return lhs / rhs;
    case DurationExpr::Op::kMod:
      if (rhs == 0) return Error(expr, "modulo by zero");
      return std::fmod(lhs, rhs);
    case DurationExpr::Op::kPow:
      return GoPow(lhs, rhs);
    case DurationExpr::Op::kNegate:
      return -rhs;
    case DurationExpr::Op::kPlus:
      return rhs;
    case DurationExpr::Op::kStep:
      return static_cast<double>(times.step_ms) / 1000;
    case DurationExpr::Op::kRange:
      return static_cast<double>(times.end_ms - times.start_ms) / 1000;
    case DurationExpr::Op::kMinOf:
      return GoMin(lhs, rhs);
    case DurationExpr::Op::kMaxOf:
      return GoMax(lhs, rhs);
  }
  return Error(expr, "unexpected duration expression operator");
}

}  // namespace

Result<int64_t> ResolveDuration(const DurationExpr& expr, const QueryTimes& times, bool may_be_negative) {
  GN_ASSIGN(double seconds, Seconds(expr, times));
  if (!std::isfinite(seconds)) return Error(expr, "duration is NaN or infinite");
  if (seconds <= 0 && !may_be_negative) return Error(expr, "duration must be greater than 0");
  constexpr double kLargest = 9223372036.854775808;  // int64 nanoseconds
  if (seconds > kLargest || seconds < -kLargest) return Error(expr, "duration is out of range");
  return static_cast<int64_t>(seconds * 1000);
}

}  // namespace gauntlet::promql
