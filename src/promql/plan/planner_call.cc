// Calls of functions.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "promql/plan/planner_core.h"
#include "promql/syntax/function_table.h"

namespace gauntlet::promql {
namespace {

HistogramUse UseBy(std::string_view function, HistogramUse above) {
  if (above == HistogramUse::kBuckets || function == "histogram_quantile" || function == "histogram_quantiles" ||
      function == "histogram_fraction") {
    return HistogramUse::kBuckets;
  }
  const bool statistics = function == "histogram_count" || function == "histogram_sum" || function == "histogram_avg";
  return statistics ? HistogramUse::kStatistics : above;
}

}  // namespace

Planner::Built Planner::CallOf(const Call& call, const Scope& scope) {
  if (options_.windows && call.function->name == std::string_view("avg_over_time") &&
      Unparen(*call.args.front()).kind == NodeKind::kMatrixSelector) {
    return WindowAverage(call, scope);
  }
  return CallOf(call, *call.function, scope);
}

Planner::Built Planner::CallOf(const Call& call, const Function& function, const Scope& scope) {
  std::string_view name = function.name;
  if (name == "start") return Number(call, static_cast<double>(times_.start_ms) / 1000, scope);
  if (name == "end") return Number(call, static_cast<double>(times_.end_ms) / 1000, scope);
  if (name == "range") return Number(call, static_cast<double>(times_.end_ms - times_.start_ms) / 1000, scope);
  if (name == "step") {
    bool instant = times_.start_ms == times_.end_ms;
    return Number(call, instant ? 0 : static_cast<double>(times_.step_ms) / 1000, scope);
  }

  if (name == "info") return InfoCall(call, scope);
  Scope below = Below(scope);
  below.func = name;
  below.histograms = UseBy(name, scope.histograms);
  std::vector<PlanPtr> args;
  PlanPtr range;
  for (const ExprPtr& a : call.args) {
    GN_ASSIGN(PlanPtr arg, Build(Unparen(*a), below));
    bool is_range = arg->kind == PlanKind::kMatrixSelect || arg->kind == PlanKind::kSubquery;
    (is_range && range == nullptr ? range : args.emplace_back()) = std::move(arg);
  }
  return range == nullptr ? ValueCall(call, std::move(args), scope)
                          : RangeCall(call, function, std::move(range), std::move(args), scope);
}

Planner::Built Planner::ValueCall(const Call& call, std::vector<PlanPtr> args, const Scope& scope) {
  auto node = std::make_shared<FunctionNode>();
  Describe(*node, call, scope);
  node->function = call.function;
  node->args = std::move(args);
  for (const PlanPtr& arg : node->args) node->single_name = node->single_name && arg->single_name;
  const std::string_view name = call.function->name;
  if (name == "label_replace" || name == "label_join") node->single_name = false;
  Title(*node);
  return PlanPtr(node);
}

Planner::Built Planner::RangeCall(const Call& call, const Function& function, PlanPtr range, std::vector<PlanPtr> args,
                                  const Scope& scope) {
  auto node = std::make_shared<RangeFunctionNode>();
  Describe(*node, call, scope);
  node->function = &function;
  // Upstream evaluates a subquery first and puts in its place samples that come from nowhere.
  const Expr& first = Unparen(*call.args.front());
  if (first.kind != NodeKind::kSubquery) node->first_arg_pos = first.pos;
  node->single_name = range->single_name;
  if (options_.windows && function.name == std::string_view("count_over_time") &&
      range->kind == PlanKind::kMatrixSelect) {
    // What is selected counts itself.
    static_cast<MatrixSelectNode&>(*range).select.func = kSampleCounts;
    node->function = FindFunction("sum_over_time");
  }
  node->range = std::move(range);
  node->args = std::move(args);
  Title(*node);
  return PlanPtr(node);
}

// The average over windows of time, which weigh as many samples as they hold: their sum by their count.
Planner::Built Planner::WindowAverage(const Call& call, const Scope& scope) {
  auto node = std::make_shared<BinaryNode>();
  Describe(*node, call, scope);
  GN_ASSIGN(node->lhs, CallOf(call, *FindFunction("sum_over_time"), scope));
  GN_ASSIGN(node->rhs, CallOf(call, *FindFunction("count_over_time"), scope));
  node->op = BinaryOp::kDiv;
  node->matching.emplace();
  node->single_name = node->lhs->single_name && node->rhs->single_name;
  Title(*node);
  return PlanPtr(node);
}

Planner::Built Planner::InfoCall(const Call& call, const Scope& scope) {
  auto node = std::make_shared<FunctionNode>();
  Describe(*node, call, scope);
  Scope below = Below(scope);
  below.func = "info";
  GN_ASSIGN(PlanPtr base, Build(Unparen(*call.args[0]), below));
  GN_ASSIGN(PlanPtr info, InfoSelect(call, scope));
  node->function = call.function;
  node->single_name = base->single_name;
  node->args.push_back(std::move(base));
  node->args.push_back(std::move(info));
  Title(*node);
  return PlanPtr(node);
}

Planner::Built Planner::InfoSelect(const Call& call, const Scope& scope) {
  auto node = std::make_shared<VectorSelectNode>();
  const Expr& described = call.args.size() > 1 ? *call.args[1] : static_cast<const Expr&>(call);
  Describe(*node, described, scope);
  node->type = ValueType::kVector;
  if (call.args.size() > 1) {
    node->select.matchers = static_cast<const VectorSelector&>(Unparen(*call.args[1])).matchers;
  } else {
    node->select.matchers.push_back(Matcher::Equal(std::string(kMetricName), "target_info"));
  }
  GN_TRY(selection_.FillInfo(*call.args[0], scope, node.get()));
  node->single_name = HasOneName(node->select.matchers);
  node->title = "select for " + SelectorText(node->select.matchers);
  if (node->grid.steps == scope.grid.steps) return PlanPtr(node);
  auto repeated = std::make_shared<StepInvariantNode>();
  Describe(*repeated, call, scope);
  repeated->title = node->title;
  repeated->expr = std::move(node);
  return PlanPtr(repeated);
}

}  // namespace gauntlet::promql
