// Durations in brackets and after offset: literals, arithmetic, step(), range(), min_of(), max_of().

#include "promql/syntax/parser_core.h"

namespace gauntlet::promql {
namespace {

using DurationOp = DurationExpr::Op;

// Whether seconds do not fit upstream's int64 of nanoseconds. (NaN passes; see DurationMs in parser_modifiers.cc.)
bool OutOfRange(double seconds) {
  constexpr double kLimit = 9223372036854775808.0 / 1e9;
  return seconds > kLimit || seconds < -kLimit;
}

bool IsLiteral(Tok type) { return type == Tok::kNumber || type == Tok::kDuration; }
bool IsFunction(Tok type) { return IsGrammarFunction(type) && type != Tok::kStart && type != Tok::kEnd; }

DurationOp FunctionOp(Tok type) {
  switch (type) {
    case Tok::kStep:
      return DurationOp::kStep;
    case Tok::kRange:
      return DurationOp::kRange;
    case Tok::kMinOf:
      return DurationOp::kMinOf;
    default:
      return DurationOp::kMaxOf;
  }
}

std::optional<DurationOp> ArithmeticOp(Tok type) {
  switch (type) {
    case Tok::kAdd:
      return DurationOp::kAdd;
    case Tok::kSub:
      return DurationOp::kSub;
    case Tok::kMul:
      return DurationOp::kMul;
    case Tok::kDiv:
      return DurationOp::kDiv;
    case Tok::kMod:
      return DurationOp::kMod;
    case Tok::kPow:
      return DurationOp::kPow;
    default:
      return std::nullopt;
  }
}

std::unique_ptr<DurationExpr> MakeNode(DurationOp op, int start, int end) {
  auto node = std::make_unique<DurationExpr>();
  node->op = op;
  node->pos = {start, end};
  return node;
}

}  // namespace

ExprPtr Parser::PositiveDuration() {
  ExprPtr e = Duration(1);
  if (!e || failed()) return nullptr;
  if (e->kind == NodeKind::kNumber && static_cast<NumberLiteral&>(*e).value <= 0) {
    return Fail(e->pos.start, "duration must be greater than 0");
  }
  return e;
}

// After `offset` a literal, a function, and either with one sign, take no operators: `foo offset 5m + 3m` adds to foo.
// What starts with a parenthesis or with two signs does.
ExprPtr Parser::OffsetDuration() {
  if (IsLiteral(Peek())) return DurationLiteral();
  if (IsFunction(Peek())) return DurationFunction();
  if (!IsSign(Peek())) return Duration(1);
  Token sign = Take();
  ExprPtr e;
  if (IsLiteral(Peek())) {
    e = Number(Take());
  } else if (IsFunction(Peek())) {
    e = DurationFunction();
    if (e && sign.type == Tok::kAdd) return Plus(sign.pos, std::move(e));
  } else if (Peek() == Tok::kLeftParen) {
    e = ParenDuration();
  } else {
    e = Duration(kPowPrecedence);
    if (e) e = SignDuration(sign, std::move(e));
    return e ? DurationOperators(std::move(e), 1) : nullptr;
  }
  return e ? SignDuration(sign, std::move(e)) : nullptr;
}

ExprPtr Parser::Duration(int precedence_min) {
  if (!Enter()) return nullptr;
  ExprPtr e = DurationOperand();
  if (e) e = DurationOperators(std::move(e), precedence_min);
  Leave();
  return e;
}

ExprPtr Parser::DurationOperators(ExprPtr lhs, int precedence_min) {
  while (lhs) {
    std::optional<DurationOp> op = ArithmeticOp(Peek());
    int precedence = BinaryPrecedence(Peek());
    if (!op || precedence < precedence_min) break;
    Token token = Take();
    ExprPtr rhs = Duration(token.type == Tok::kPow ? precedence : precedence + 1);
    lhs = rhs ? DurationBinary(token, std::move(lhs), std::move(rhs)) : nullptr;
  }
  return failed() ? nullptr : std::move(lhs);
}

ExprPtr Parser::DurationOperand() {
  if (IsLiteral(Peek())) return DurationLiteral();
  if (IsFunction(Peek())) return DurationFunction();
  if (Peek() == Tok::kLeftParen) return ParenDuration();
  if (!IsSign(Peek())) return Unexpected();
  Token sign = Take();
  ExprPtr e = Duration(kPowPrecedence);
  return e ? SignDuration(sign, std::move(e)) : nullptr;
}

ExprPtr Parser::DurationLiteral() {
  std::unique_ptr<NumberLiteral> node = Number(Take());
  if (node && OutOfRange(node->value)) return Fail(node->pos.start, "duration out of range");
  return node;
}

// step(), range(), min_of(a, b), max_of(a, b)
ExprPtr Parser::DurationFunction() {
  Token name = Take();
  auto node = MakeNode(FunctionOp(name.type), name.pos, 0);
  if (!Expect(Tok::kLeftParen)) return nullptr;
  if (node->op == DurationOp::kMinOf || node->op == DurationOp::kMaxOf) {
    node->lhs = Duration(1);
    if (!node->lhs || !Expect(Tok::kComma)) return nullptr;
    node->rhs = Duration(1);
    if (!node->rhs) return nullptr;
  }
  if (!Expect(Tok::kRightParen)) return nullptr;
  node->pos.end = taken_end_;
  if (!Grow(*node, node->lhs.get()) || !Grow(*node, node->rhs.get())) return nullptr;
  return node;
}

ExprPtr Parser::ParenDuration() {
  Token open = Take();
  ExprPtr e = Duration(1);
  if (!e || !Expect(Tok::kRightParen)) return nullptr;
  return WrapDuration(std::move(e), open.pos);
}

ExprPtr Parser::DurationBinary(const Token& op, ExprPtr lhs, ExprPtr rhs) {
  auto node = MakeNode(*ArithmeticOp(op.type), lhs->pos.start, rhs->pos.end);
  const bool fits = Grow(*node, lhs.get()) && Grow(*node, rhs.get());
  const bool zero = rhs->kind == NodeKind::kNumber && static_cast<NumberLiteral&>(*rhs).value == 0;
  node->lhs = std::move(lhs);
  node->rhs = std::move(rhs);
  if (zero && node->op == DurationOp::kDiv) return Fail(op.pos, "division by zero");
  if (zero && node->op == DurationOp::kMod) return Fail(op.pos, "modulo by zero");
  return fits ? std::move(node) : nullptr;
}

// A plus leaves no trace but on the position of a number.
ExprPtr Parser::SignDuration(const Token& sign, ExprPtr e) {
  const bool minus = sign.type == Tok::kSub;
  if (e->kind == NodeKind::kNumber) {
    auto& number = static_cast<NumberLiteral&>(*e);
    if (minus) number.value *= -1;
    if (OutOfRange(number.value)) return Fail(sign.pos, "duration out of range");
    number.pos.start = sign.pos;
    return e;
  }
  if (!minus) return e;
  auto node = MakeNode(DurationOp::kNegate, sign.pos, e->pos.end);
  const bool fits = Grow(*node, e.get());
  node->rhs = std::move(e);
  return fits ? std::move(node) : nullptr;
}

ExprPtr Parser::Plus(int start, ExprPtr e) {
  auto node = MakeNode(DurationOp::kPlus, start, taken_end_);
  const bool fits = Grow(*node, e.get());
  node->rhs = std::move(e);
  return fits ? std::move(node) : nullptr;
}

// Marks what stood in parentheses, so that it prints so; a literal becomes the operand of a plus for that.
ExprPtr Parser::WrapDuration(ExprPtr e, int start) {
  if (e->kind != NodeKind::kDuration) e = Plus(start, std::move(e));
  if (e) static_cast<DurationExpr&>(*e).wrapped = true;
  return e;
}

}  // namespace gauntlet::promql
