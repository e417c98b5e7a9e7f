// Binary operators and their modifiers: bool, on/ignoring, group_left/group_right, fill.

#include "promql/syntax/parser_core.h"

namespace gauntlet::promql {
namespace {

BinaryOp OperatorOf(Tok type) {
  switch (type) {
    case Tok::kAdd:
      return BinaryOp::kAdd;
    case Tok::kSub:
      return BinaryOp::kSub;
    case Tok::kMul:
      return BinaryOp::kMul;
    case Tok::kDiv:
      return BinaryOp::kDiv;
    case Tok::kMod:
      return BinaryOp::kMod;
    case Tok::kPow:
      return BinaryOp::kPow;
    case Tok::kAtan2:
      return BinaryOp::kAtan2;
    case Tok::kEqual:
      return BinaryOp::kEqual;
    case Tok::kNotEqual:
      return BinaryOp::kNotEqual;
    case Tok::kLess:
      return BinaryOp::kLess;
    case Tok::kLessEqual:
      return BinaryOp::kLessEqual;
    case Tok::kGreater:
      return BinaryOp::kGreater;
    case Tok::kGreaterEqual:
      return BinaryOp::kGreaterEqual;
    case Tok::kAnd:
      return BinaryOp::kAnd;
    case Tok::kOr:
      return BinaryOp::kOr;
    case Tok::kUnless:
      return BinaryOp::kUnless;
    case Tok::kTrimUpper:
      return BinaryOp::kTrimUpper;
    default:
      return BinaryOp::kTrimLower;
  }
}

}  // namespace

int BinaryPrecedence(Tok type) {
  switch (type) {
    case Tok::kOr:
      return 1;
    case Tok::kAnd:
    case Tok::kUnless:
      return 2;
    case Tok::kEqual:
    case Tok::kNotEqual:
    case Tok::kLess:
    case Tok::kLessEqual:
    case Tok::kGreater:
    case Tok::kGreaterEqual:
    case Tok::kTrimUpper:
    case Tok::kTrimLower:
      return 3;
    case Tok::kAdd:
    case Tok::kSub:
      return 4;
    case Tok::kMul:
    case Tok::kDiv:
    case Tok::kMod:
    case Tok::kAtan2:
      return kMulPrecedence;
    case Tok::kPow:
      return kPowPrecedence;
    default:
      return 0;
  }
}

// After the operator.
ExprPtr Parser::Binary(const Token& op, ExprPtr lhs, int precedence) {
  auto node = std::make_unique<BinaryExpr>();
  node->op = OperatorOf(op.type);
  node->matching.emplace();  // the type checker takes it away where it means nothing
  if (!BinaryModifiers(*node)) return nullptr;
  ExprPtr rhs = Expression(op.type == Tok::kPow ? precedence : precedence + 1);
  if (!rhs) return nullptr;
  node->pos = {lhs->pos.start, rhs->pos.end};
  const bool fits = GrowChain(*node, *lhs) && Grow(*node, rhs.get());
  node->lhs = std::move(lhs);
  node->rhs = std::move(rhs);
  if (!fits) return nullptr;
  if (!options_.binop_fill && (node->matching->fill_left || node->matching->fill_right)) {
    return Fail(node->pos.start, "binop fill modifiers are experimental and not enabled");
  }
  return node;
}

bool Parser::BinaryModifiers(BinaryExpr& node) {
  VectorMatching& matching = *node.matching;
  node.return_bool = Accept(Tok::kBool);
  if (Peek() == Tok::kOn || Peek() == Tok::kIgnoring) {
    matching.on = Take().type == Tok::kOn;
    if (!GroupingLabels(matching.labels)) return false;
    if (!GroupModifier(matching)) return false;
  }
  return FillModifiers(matching);
}

// [group_left|group_right [(..)]]
bool Parser::GroupModifier(VectorMatching& matching) {
  if (Peek() != Tok::kGroupLeft && Peek() != Tok::kGroupRight) return true;
  matching.card = Take().type == Tok::kGroupLeft ? MatchCardinality::kManyToOne : MatchCardinality::kOneToMany;
  const Tok next = Peek();
  const bool fill = next == Tok::kFill || next == Tok::kFillLeft || next == Tok::kFillRight;
  // The labels may be left out, where an operand follows: otherwise it is they that are missing.
  if (next != Tok::kLeftParen && (fill || StartsExpression(next))) return true;
  return GroupingLabels(matching.include);
}

bool Parser::FillModifiers(VectorMatching& matching) {
  if (Accept(Tok::kFill)) {
    matching.fill_left = matching.fill_right = FillValue();
  } else if (Accept(Tok::kFillLeft)) {
    matching.fill_left = FillValue();
    if (!failed() && Accept(Tok::kFillRight)) matching.fill_right = FillValue();
  } else if (Accept(Tok::kFillRight)) {
    matching.fill_right = FillValue();
    if (!failed() && Accept(Tok::kFillLeft)) matching.fill_left = FillValue();
  }
  return !failed();
}

std::optional<double> Parser::FillValue() {
  if (!Expect(Tok::kLeftParen)) return std::nullopt;
  std::optional<double> value = SignedNumber();
  return value && Expect(Tok::kRightParen) ? value : std::nullopt;
}

}  // namespace gauntlet::promql
