// What follows an expression: offset, @, anchored, smoothed, and brackets.

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "promql/syntax/parser_core.h"

namespace gauntlet::promql {
namespace {

// As upstream keeps it, a whole number of nanoseconds; cut to the milliseconds that evaluation sees.
int64_t DurationMs(double seconds) {
  if (std::isnan(seconds)) return std::numeric_limits<int64_t>::min() / 1'000'000;  // as Go has it on amd64
  double ns = std::round(seconds * 1e9);
  if (ns >= 9223372036854775808.0) return std::numeric_limits<int64_t>::max() / 1'000'000;
  return static_cast<int64_t>(ns) / 1'000'000;
}

// A plain literal goes to `ms`, anything else to `expr`. Returns the height that it adds.
void Store(ExprPtr duration, int64_t& ms, std::unique_ptr<DurationExpr>& expr) {
  if (duration->kind == NodeKind::kNumber) {
    ms = DurationMs(static_cast<NumberLiteral&>(*duration).value);
  } else {
    expr.reset(static_cast<DurationExpr*>(duration.release()));
  }
}

// Of the selector or subquery that modifiers after `e` belong to; null when there is none.
TimeModifiers* ModifiersOf(Expr& e) {
  switch (e.kind) {
    case NodeKind::kVectorSelector:
      return &static_cast<VectorSelector&>(e).time;
    case NodeKind::kMatrixSelector:
      return &static_cast<MatrixSelector&>(e).selector->time;
    case NodeKind::kSubquery:
      return &static_cast<SubqueryExpr&>(e).time;
    default:
      return nullptr;
  }
}

bool HasOffset(const TimeModifiers& time) { return time.offset_ms != 0 || time.offset_expr; }

// Go's %f.
std::string SixDecimals(double v) {
  if (std::isnan(v)) return "NaN";
  if (std::isinf(v)) return v > 0 ? "+Inf" : "-Inf";
  return fmt::format("{:f}", v);
}

int64_t TimestampMs(double seconds) {
  double ms = std::round(seconds * 1000);
  // What Go makes of a float that no int64 holds, on amd64.
  if (!(ms < 9223372036854775808.0 && ms >= -9223372036854775808.0)) return std::numeric_limits<int64_t>::min();
  return static_cast<int64_t>(ms);
}

}  // namespace

ExprPtr Parser::Modifiers(ExprPtr e) {
  while (e) {
    bool ok = true;
    switch (Peek()) {
      case Tok::kOffset:
        ok = Offset(*e);
        break;
      case Tok::kAt:
        ok = At(*e);
        break;
      case Tok::kAnchored:
      case Tok::kSmoothed:
        ok = Extended(*e, Take().type == Tok::kAnchored);
        break;
      case Tok::kLeftBracket:
        e = RangeOrSubquery(std::move(e));
        break;
      default:
        return failed() ? nullptr : std::move(e);
    }
    if (!ok) return nullptr;
  }
  return nullptr;
}

bool Parser::Offset(Expr& e) {
  Context context(*this, "offset", "number, duration, step(), or range()");
  Take();
  ExprPtr offset = OffsetDuration();
  return offset && !failed() && SetOffset(e, std::move(offset));
}

bool Parser::SetOffset(Expr& e, ExprPtr offset) {
  TimeModifiers* time = ModifiersOf(e);
  if (!time) {
    Fail(e.pos.start,
         "offset modifier must be preceded by an instant vector selector or range vector selector or a subquery");
    return false;
  }
  if (HasOffset(*time)) {
    Fail(e.pos.start, "offset may not be set multiple times");
    return false;
  }
  e.pos.end = taken_end_;
  if (offset->kind == NodeKind::kDuration && !Grow(e, offset.get())) return false;
  Store(std::move(offset), time->offset_ms, time->offset_expr);
  return true;
}

bool Parser::At(Expr& e) {
  Context context(*this, "@", "timestamp");
  Take();
  AtModifier at = AtModifier::kTimestamp;
  double seconds = 0;
  if (Peek() == Tok::kStart || Peek() == Tok::kEnd) {
    at = Take().type == Tok::kStart ? AtModifier::kStart : AtModifier::kEnd;
    if (!Expect(Tok::kLeftParen) || !Expect(Tok::kRightParen)) return false;
  } else {
    std::optional<double> number = SignedNumber();
    if (!number) return false;
    seconds = *number;
    constexpr double kBound = 9223372036854775808.0;
    if (!(seconds < kBound && seconds > -kBound)) {
      Fail(e.pos.start, "timestamp out of bounds for @ modifier: " + SixDecimals(seconds));
      return false;
    }
  }
  TimeModifiers* time = ModifiersOf(e);
  if (!time) {
    Fail(e.pos.start,
         "@ modifier must be preceded by an instant vector selector or range vector selector or a subquery");
    return false;
  }
  if (time->at != AtModifier::kNone) {
    Fail(e.pos.start, "@ <timestamp> may not be set multiple times");
    return false;
  }
  time->at = at;
  if (at == AtModifier::kTimestamp) time->at_ms = TimestampMs(seconds);
  e.pos.end = taken_end_;
  return true;
}

bool Parser::Extended(Expr& e, bool anchored) {
  const char* name = anchored ? "anchored" : "smoothed";
  if (!options_.extended_range_selectors) {
    Fail(e.pos.start, fmt::format("{} modifier is experimental and not enabled", name));
    return false;
  }
  VectorSelector* selector = nullptr;
  if (e.kind == NodeKind::kVectorSelector) {
    selector = static_cast<VectorSelector*>(&e);
  } else if (e.kind == NodeKind::kMatrixSelector) {
    selector = static_cast<MatrixSelector&>(e).selector.get();
  } else {
    const char* why = e.kind == NodeKind::kSubquery ? "is not supported for subqueries" : "not implemented";
    Fail(e.pos.start, fmt::format("{} modifier {}", name, why));
    return false;
  }
  (anchored ? selector->anchored : selector->smoothed) = true;
  if (selector->anchored && selector->smoothed) {
    Fail(e.pos.start, "anchored and smoothed modifiers cannot be used together");
    return false;
  }
  return true;
}

// [range], [range:] or [range:step]
ExprPtr Parser::RangeOrSubquery(ExprPtr e) {
  Context context(*this, "subquery or range selector", "number, duration, step(), or range()");
  Token bracket = Take();
  ExprPtr range = PositiveDuration();
  if (!range) return nullptr;
  context.Change("subquery or range", "\":\" or \"]\"");
  if (Accept(Tok::kRightBracket)) return Range(std::move(e), std::move(range), bracket.pos);
  if (!Expect(Tok::kColon)) return nullptr;
  context.Change("subquery selector", "number, duration, step(), range(), or \"]\"");
  return Subquery(std::move(e), std::move(range));
}

// After the closing bracket.
ExprPtr Parser::Range(ExprPtr e, ExprPtr range, int bracket_pos) {
  if (e->kind != NodeKind::kVectorSelector) return Fail(bracket_pos, "ranges only allowed for vector selectors");
  std::unique_ptr<VectorSelector> selector(static_cast<VectorSelector*>(e.release()));
  if (HasOffset(selector->time)) return Fail(bracket_pos, "no offset modifiers allowed before range");
  if (selector->time.at != AtModifier::kNone) return Fail(bracket_pos, "no @ modifiers allowed before range");
  auto node = std::make_unique<MatrixSelector>();
  node->pos = {selector->pos.start, taken_end_};
  const bool fits = Grow(*node, selector.get()) && (range->kind == NodeKind::kNumber || Grow(*node, range.get()));
  node->selector = std::move(selector);
  Store(std::move(range), node->range_ms, node->range_expr);
  return fits ? std::move(node) : nullptr;
}

// After the colon.
ExprPtr Parser::Subquery(ExprPtr e, ExprPtr range) {
  ExprPtr step;
  if (!Accept(Tok::kRightBracket)) {
    step = PositiveDuration();
    if (!step) return nullptr;
    Context context(*this, "subquery selector", "\"]\"");
    if (!Expect(Tok::kRightBracket)) return nullptr;
  }
  auto node = std::make_unique<SubqueryExpr>();
  node->pos = {e->pos.start, taken_end_};
  bool fits = Grow(*node, e.get()) && (range->kind == NodeKind::kNumber || Grow(*node, range.get())) &&
              (!step || step->kind == NodeKind::kNumber || Grow(*node, step.get()));
  node->expr = std::move(e);
  Store(std::move(range), node->range_ms, node->range_expr);
  if (step) Store(std::move(step), node->step_ms, node->step_expr);
  return fits ? std::move(node) : nullptr;
}

}  // namespace gauntlet::promql
