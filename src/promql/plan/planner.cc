#include "promql/plan/planner.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "promql/plan/distribute.h"
#include "promql/plan/optimizer.h"
#include "promql/plan/planner_core.h"

namespace gauntlet::promql {
namespace {

constexpr int kDepthMax = 2000;

}  // namespace

Result<Plan> Planner::Make(const Expr& root) {
  Scope scope;
  scope.grid.start_ms = options_.start_ms;
  if (options_.step_ms > 0) {
    scope.grid.step_ms = options_.step_ms;
    int64_t steps =
        options_.end_ms < options_.start_ms ? 0 : (options_.end_ms - options_.start_ms) / options_.step_ms + 1;
    if (steps > std::numeric_limits<int32_t>::max()) return Status(Code::kInvalid, "too many steps in the query");
    scope.grid.steps = static_cast<uint32_t>(steps);
    scope.grid.ranged = steps == 1 && options_.end_ms != options_.start_ms;
  }
  scope.end_ms = times_.end_ms;
  scope.interval_ms = options_.step_ms;
  GN_ASSIGN(PlanPtr plan, Build(root, scope));
  const int64_t min = selection_.min_time_ms(), max = selection_.max_time_ms();
  return min > max ? Plan{std::move(plan), 0, 0, false} : Plan{std::move(plan), min, max, false};
}

Planner::Built Planner::Build(const Expr& expr, const Scope& scope) {
  if (scope.depth > kDepthMax) return Status(Code::kInvalid, "the expression is nested too deeply");
  if (!invariance_.Wrapped(expr)) return BuildBare(expr, scope);
  Scope once = scope;
  once.grid.steps = std::min(1u, scope.grid.steps);
  once.grid.ranged = false;
  once.end_ms = scope.grid.start_ms;
  once.aggregate = nullptr;
  GN_ASSIGN(PlanPtr inner, BuildBare(expr, once));
  if (inner->kind == PlanKind::kNumber) inner->grid = scope.grid;
  if (scope.grid.steps <= 1 || inner->kind == PlanKind::kNumber) return inner;
  auto node = std::make_shared<StepInvariantNode>();
  Describe(*node, Unparen(expr), scope);
  node->single_name = inner->single_name;
  node->title = inner->title;
  node->expr = std::move(inner);
  return PlanPtr(node);
}

Planner::Built Planner::BuildBare(const Expr& expr, const Scope& scope) {
  switch (expr.kind) {
    case NodeKind::kNumber:
      return Number(expr, static_cast<const NumberLiteral&>(expr).value, scope);
    case NodeKind::kString: {
      auto node = std::make_shared<StringNode>();
      Describe(*node, expr, scope);
      node->value = static_cast<const StringLiteral&>(expr).value;
      return PlanPtr(node);
    }
    case NodeKind::kVectorSelector:
      return VectorSelect(static_cast<const VectorSelector&>(expr), scope);
    case NodeKind::kMatrixSelector:
      return MatrixSelect(static_cast<const MatrixSelector&>(expr), scope);
    case NodeKind::kSubquery:
      return Subquery(static_cast<const SubqueryExpr&>(expr), scope);
    case NodeKind::kParen:
      return Build(*static_cast<const ParenExpr&>(expr).expr, Below(scope));
    case NodeKind::kUnary:
      return Unary(static_cast<const UnaryExpr&>(expr), scope);
    case NodeKind::kBinary:
      return Chain(static_cast<const BinaryExpr&>(expr), scope);
    case NodeKind::kAggregate:
      return Aggregate(static_cast<const AggregateExpr&>(expr), scope);
    case NodeKind::kCall:
      return CallOf(static_cast<const Call&>(expr), scope);
    case NodeKind::kDuration:
      break;
  }
  return Status(Code::kInternal, "unexpected node in an expression");
}

void Planner::Describe(PlanNode& node, const Expr& expr, const Scope& scope) {
  node.type = expr.type();
  node.grid = scope.grid;
  node.pos = expr.pos;
}

void Planner::Title(PlanNode& node) {
  node.title = PlanOperatorName(node);
  for (const PlanNode* child : PlanChildren(node)) {
    size_t at = child->title.find(" for ");
    if (at == std::string::npos) continue;
    node.title += child->title.substr(at);
    return;
  }
}

Planner::Built Planner::Number(const Expr& expr, double value, const Scope& scope) {
  auto node = std::make_shared<NumberNode>();
  Describe(*node, expr, scope);
  node->type = ValueType::kScalar;
  node->value = value;
  return PlanPtr(node);
}

Planner::Built Planner::Unary(const UnaryExpr& unary, const Scope& scope) {
  GN_ASSIGN(PlanPtr inner, Build(*unary.expr, Below(scope)));
  if (!unary.minus) return inner;
  auto node = std::make_shared<NegateNode>();
  Describe(*node, unary, scope);
  node->expr = std::move(inner);
  node->single_name = node->expr->single_name;
  Title(*node);
  return PlanPtr(node);
}

Planner::Built Planner::Aggregate(const AggregateExpr& aggregate, const Scope& scope) {
  auto node = std::make_shared<AggregateNode>();
  Describe(*node, aggregate, scope);
  Scope below = Below(scope);
  below.func = AggregateOpText(aggregate.op);
  below.aggregate = &aggregate;
  GN_ASSIGN(node->expr, Build(Unparen(*aggregate.expr), below));
  if (aggregate.param != nullptr) {
    GN_ASSIGN(node->param, Build(Unparen(*aggregate.param), below));
  }
  node->op = aggregate.op;
  node->grouping = aggregate.grouping;
  std::sort(node->grouping.begin(), node->grouping.end());
  node->without = aggregate.without;
  bool keeps_series = aggregate.op == AggregateOp::kTopK || aggregate.op == AggregateOp::kBottomK ||
                      aggregate.op == AggregateOp::kLimitK || aggregate.op == AggregateOp::kLimitRatio;
  // count_values("__name__", x) names its series.
  bool names = aggregate.op == AggregateOp::kCountValues && node->param->kind == PlanKind::kString &&
               static_cast<const StringNode&>(*node->param).value == kMetricName;
  node->single_name = keeps_series
                          ? node->expr->single_name
                          : !names && !std::binary_search(node->grouping.begin(), node->grouping.end(), kMetricName);
  Title(*node);
  return PlanPtr(node);
}

Result<Plan> MakePlainPlan(const Expr& expr, const PlanOptions& options) { return Planner(expr, options).Make(expr); }

Result<Plan> MakePlan(const Expr& expr, const PlanOptions& options, const Leaves* leaves, std::string_view query) {
  GN_ASSIGN(Plan plan, MakePlainPlan(expr, options));
  if (leaves != nullptr) Distribute(*leaves, query, options, &plan);
  PropagateMatchers(plan.root.get(), !options.type_and_unit_labels);
  ShareSubtrees(&plan.root);
  return plan;
}

}  // namespace gauntlet::promql
