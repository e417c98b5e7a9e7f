#include "promql/syntax/walk.h"

namespace gauntlet::promql {
namespace {

ExprPtr CloneOrNull(const ExprPtr& e) { return e ? Clone(*e) : nullptr; }

template <typename N>
std::unique_ptr<N> CloneOrNull(const std::unique_ptr<N>& e) {
  return e ? CloneAs(*e) : nullptr;
}

// A new node of the same kind, place and height.
template <typename N>
std::unique_ptr<N> Like(const Expr& e) {
  auto copy = std::make_unique<N>();
  copy->pos = e.pos;
  copy->height = e.height;
  return copy;
}

void CopyModifiers(const TimeModifiers& from, TimeModifiers& to) {
  to.offset_ms = from.offset_ms;
  to.offset_expr = CloneOrNull(from.offset_expr);
  to.at = from.at;
  to.at_ms = from.at_ms;
}

ExprPtr CloneNode(const NumberLiteral& e) {
  auto copy = Like<NumberLiteral>(e);
  copy->value = e.value;
  copy->is_duration = e.is_duration;
  return copy;
}

ExprPtr CloneNode(const StringLiteral& e) {
  auto copy = Like<StringLiteral>(e);
  copy->value = e.value;
  return copy;
}

ExprPtr CloneNode(const DurationExpr& e) {
  auto copy = Like<DurationExpr>(e);
  copy->op = e.op;
  copy->lhs = CloneOrNull(e.lhs);
  copy->rhs = CloneOrNull(e.rhs);
  copy->wrapped = e.wrapped;
  return copy;
}

ExprPtr CloneNode(const VectorSelector& e) {
  auto copy = Like<VectorSelector>(e);
  copy->name = e.name;
  copy->matchers = e.matchers;
  CopyModifiers(e.time, copy->time);
  copy->anchored = e.anchored;
  copy->smoothed = e.smoothed;
  copy->bypass_empty_matcher_check = e.bypass_empty_matcher_check;
  return copy;
}

ExprPtr CloneNode(const MatrixSelector& e) {
  auto copy = Like<MatrixSelector>(e);
  copy->selector = CloneOrNull(e.selector);
  copy->range_ms = e.range_ms;
  copy->range_expr = CloneOrNull(e.range_expr);
  return copy;
}

ExprPtr CloneNode(const SubqueryExpr& e) {
  auto copy = Like<SubqueryExpr>(e);
  copy->expr = CloneOrNull(e.expr);
  copy->range_ms = e.range_ms;
  copy->range_expr = CloneOrNull(e.range_expr);
  copy->step_ms = e.step_ms;
  copy->step_expr = CloneOrNull(e.step_expr);
  CopyModifiers(e.time, copy->time);
  return copy;
}

ExprPtr CloneNode(const ParenExpr& e) {
  auto copy = Like<ParenExpr>(e);
  copy->expr = CloneOrNull(e.expr);
  return copy;
}

ExprPtr CloneNode(const UnaryExpr& e) {
  auto copy = Like<UnaryExpr>(e);
  copy->minus = e.minus;
  copy->expr = CloneOrNull(e.expr);
  return copy;
}

ExprPtr CloneNode(const BinaryExpr& top) {
  const std::vector<const BinaryExpr*> chain = ChainOf(top);
  ExprPtr lhs = Clone(*chain.back()->lhs);
  for (size_t i = chain.size(); i-- > 0;) {
    const BinaryExpr& e = *chain[i];
    auto copy = Like<BinaryExpr>(e);
    copy->op = e.op;
    copy->lhs = std::move(lhs);
    copy->rhs = Clone(*e.rhs);
    copy->matching = e.matching;
    copy->return_bool = e.return_bool;
    copy->checked_type = e.checked_type;
    lhs = std::move(copy);
  }
  return lhs;
}

ExprPtr CloneNode(const AggregateExpr& e) {
  auto copy = Like<AggregateExpr>(e);
  copy->op = e.op;
  copy->expr = CloneOrNull(e.expr);
  copy->param = CloneOrNull(e.param);
  copy->grouping = e.grouping;
  copy->without = e.without;
  return copy;
}

ExprPtr CloneNode(const Call& e) {
  auto copy = Like<Call>(e);
  copy->function = e.function;
  copy->args.reserve(e.args.size());
  for (const ExprPtr& arg : e.args) copy->args.push_back(Clone(*arg));
  return copy;
}

}  // namespace

std::vector<const VectorSelector*> ExtractSelectors(const Expr& root) {
  std::vector<const VectorSelector*> found;
  Inspect(root, [&](const Expr& e, std::span<const Expr* const>) {
    if (e.kind == NodeKind::kVectorSelector) found.push_back(static_cast<const VectorSelector*>(&e));
    return true;
  });
  return found;
}

ExprPtr Clone(const Expr& e) {
  switch (e.kind) {
    case NodeKind::kNumber:
      return CloneNode(static_cast<const NumberLiteral&>(e));
    case NodeKind::kString:
      return CloneNode(static_cast<const StringLiteral&>(e));
    case NodeKind::kVectorSelector:
      return CloneNode(static_cast<const VectorSelector&>(e));
    case NodeKind::kMatrixSelector:
      return CloneNode(static_cast<const MatrixSelector&>(e));
    case NodeKind::kSubquery:
      return CloneNode(static_cast<const SubqueryExpr&>(e));
    case NodeKind::kParen:
      return CloneNode(static_cast<const ParenExpr&>(e));
    case NodeKind::kUnary:
      return CloneNode(static_cast<const UnaryExpr&>(e));
    case NodeKind::kBinary:
      return CloneNode(static_cast<const BinaryExpr&>(e));
    case NodeKind::kAggregate:
      return CloneNode(static_cast<const AggregateExpr&>(e));
    case NodeKind::kCall:
      return CloneNode(static_cast<const Call&>(e));
    case NodeKind::kDuration:
      return CloneNode(static_cast<const DurationExpr&>(e));
  }
  return nullptr;
}

}  // namespace gauntlet::promql
