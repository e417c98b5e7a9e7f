#include "promql/plan/invariance.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "promql/syntax/function_table.h"
#include "promql/syntax/walk.h"

namespace gauntlet::promql {
namespace {

// Functions whose value depends on the time of evaluation, whatever their arguments.
bool DependsOnStep(std::string_view function) {
  static constexpr std::string_view kNames[] = {"day_of_month", "day_of_week", "day_of_year", "days_in_month",  "end",
                                                "hour",         "minute",      "month",       "predict_linear", "range",
                                                "start",        "step",        "time",        "timestamp",      "year"};
  return std::binary_search(std::begin(kNames), std::end(kNames), function);
}

bool HasAt(const TimeModifiers& time) { return time.at != AtModifier::kNone; }

}  // namespace

const Expr& Unparen(const Expr& expr) {
  const Expr* e = &expr;
  while (e->kind == NodeKind::kParen) e = static_cast<const ParenExpr*>(e)->expr.get();
  return *e;
}

Invariance::Invariance(const Expr& root) {
  if (Visit(root).wrap) wrapped_.insert(&root);
}

Invariance::Flags Invariance::Visit(const Expr& expr) {
  visited_.insert(&expr);
  switch (expr.kind) {
    case NodeKind::kVectorSelector: {
      bool at = HasAt(static_cast<const VectorSelector&>(expr).time);
      return {at, at};
    }
    case NodeKind::kMatrixSelector:
      // Functions over it evaluate it themselves: never wrapped.
      return {Visit(*static_cast<const MatrixSelector&>(expr).selector).invariant, false};
    case NodeKind::kSubquery: {
      const auto& subquery = static_cast<const SubqueryExpr&>(expr);
      if (Visit(*subquery.expr).invariant) wrapped_.insert(subquery.expr.get());
      return {HasAt(subquery.time), false};
    }
    case NodeKind::kAggregate:
      return Visit(Unparen(*static_cast<const AggregateExpr&>(expr).expr));
    case NodeKind::kBinary:
      return VisitChain(static_cast<const BinaryExpr&>(expr));
    case NodeKind::kCall:
      return VisitCall(static_cast<const Call&>(expr));
    case NodeKind::kParen:
      return Visit(*static_cast<const ParenExpr&>(expr).expr);
    case NodeKind::kUnary:
      return Visit(*static_cast<const UnaryExpr&>(expr).expr);
    case NodeKind::kNumber:
    case NodeKind::kString:
    case NodeKind::kDuration:
      return {true, false};
  }
  return {false, false};
}

Invariance::Flags Invariance::VisitChain(const BinaryExpr& top) {
  const std::vector<const BinaryExpr*> chain = ChainOf(top);
  visited_.insert(chain.begin(), chain.end());
  Flags lhs = Visit(*chain.back()->lhs);
  for (size_t i = chain.size(); i-- > 0;) {
    const BinaryExpr& binary = *chain[i];
    const Flags rhs = Visit(*binary.rhs);
    if (lhs.invariant && rhs.invariant) {
      lhs = {true, true};
      continue;
    }
    if (lhs.wrap) wrapped_.insert(binary.lhs.get());
    if (rhs.wrap) wrapped_.insert(binary.rhs.get());
    lhs = {false, false};
  }
  return lhs;
}

Invariance::Flags Invariance::VisitCall(const Call& call) {
  std::string_view name = call.function->name;
  // The planner replaces these by numbers before anything else looks at them.
  if (name == "start" || name == "end" || name == "range" || name == "step") return {true, false};
  bool invariant = !DependsOnStep(name);
  // timestamp(x @ 1) is invariant, timestamp(abs(x @ 1)) is not.
  bool timestamp_of_fixed = name == "timestamp";
  std::vector<const Expr*> to_wrap;
  for (const ExprPtr& a : call.args) {
    const Expr& arg = Unparen(*a);
    Flags flags = Visit(arg);
    if (flags.wrap) to_wrap.push_back(&arg);
    invariant = invariant && flags.invariant;
    if (!flags.invariant || arg.kind != NodeKind::kVectorSelector) timestamp_of_fixed = false;
  }
  if (invariant || timestamp_of_fixed) return {true, true};
  wrapped_.insert(to_wrap.begin(), to_wrap.end());
  return {false, false};
}

}  // namespace gauntlet::promql
