// A chain of operators is built from left to right, up to a part of it that is evaluated once for all steps.

#include <cstddef>
#include <utility>
#include <vector>

#include "promql/plan/arithmetic.h"
#include "promql/plan/planner_core.h"
#include "promql/syntax/walk.h"

namespace gauntlet::promql {
namespace {

// Trimming has no meaning between numbers: an error when it is run.
bool AreNumbers(BinaryOp op, const PlanNode& lhs, const PlanNode& rhs) {
  return lhs.kind == PlanKind::kNumber && rhs.kind == PlanKind::kNumber && op != BinaryOp::kTrimLower &&
         op != BinaryOp::kTrimUpper;
}

}  // namespace

Planner::Built Planner::Chain(const BinaryExpr& top, const Scope& scope) {
  std::vector<const BinaryExpr*> chain = ChainOf(top);
  size_t length = 1;
  while (length < chain.size() && !invariance_.Wrapped(*chain[length])) ++length;
  Scope below = Below(scope);
  below.func = {};
  // Trimming wants the buckets of all that is below it.
  std::vector<HistogramUse> uses;
  for (size_t i = 0; i < length; ++i) {
    if (chain[i]->op == BinaryOp::kTrimLower || chain[i]->op == BinaryOp::kTrimUpper) {
      below.histograms = HistogramUse::kBuckets;
    }
    uses.push_back(below.histograms);
  }
  GN_ASSIGN(PlanPtr lhs, Build(*chain[length - 1]->lhs, below));
  for (size_t i = length; i-- > 0;) {
    below.histograms = uses[i];
    Scope own = i == 0 ? scope : below;
    GN_ASSIGN(lhs, Binary(*chain[i], std::move(lhs), own, below));
  }
  return lhs;
}

Planner::Built Planner::Binary(const BinaryExpr& binary, PlanPtr lhs, const Scope& scope, const Scope& below) {
  auto node = std::make_shared<BinaryNode>();
  Describe(*node, binary, scope);
  node->lhs = std::move(lhs);
  GN_ASSIGN(node->rhs, Build(*binary.rhs, below));
  if (AreNumbers(binary.op, *node->lhs, *node->rhs)) {
    return Number(binary,
                  ApplyScalar(binary.op, static_cast<const NumberNode&>(*node->lhs).value,
                              static_cast<const NumberNode&>(*node->rhs).value),
                  scope);
  }
  node->op = binary.op;
  node->matching = binary.matching;
  node->return_bool = binary.return_bool;
  // The result takes its names from one side (`or`: from both).
  node->single_name = binary.op != BinaryOp::kOr && node->lhs->single_name && node->rhs->single_name;
  Title(*node);
  return PlanPtr(node);
}

}  // namespace gauntlet::promql
