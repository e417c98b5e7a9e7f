#include "promql/plan/preservation.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gauntlet::promql {
namespace {

bool Selects(const PlanNode& node) {
  if (SelectOf(node) != nullptr) return true;
  for (const PlanNode* child : PlanChildren(node)) {
    if (Selects(*child)) return true;
  }
  return false;
}

bool Has(const std::vector<std::string>& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

// Functions of one series alone.
bool IsElementwise(std::string_view name) {
  static constexpr std::string_view kNames[] = {"abs",
                                                "acos",
                                                "acosh",
                                                "asin",
                                                "asinh",
                                                "atan",
                                                "atanh",
                                                "ceil",
                                                "clamp",
                                                "clamp_max",
                                                "clamp_min",
                                                "cos",
                                                "cosh",
                                                "day_of_month",
                                                "day_of_week",
                                                "day_of_year",
                                                "days_in_month",
                                                "deg",
                                                "exp",
                                                "floor",
                                                "histogram_avg",
                                                "histogram_count",
                                                "histogram_stddev",
                                                "histogram_stdvar",
                                                "histogram_sum",
                                                "hour",
                                                "ln",
                                                "log10",
                                                "log2",
                                                "minute",
                                                "month",
                                                "rad",
                                                "round",
                                                "sgn",
                                                "sin",
                                                "sinh",
                                                "sqrt",
                                                "tan",
                                                "tanh",
                                                "timestamp",
                                                "year"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

bool PreservesCall(const FunctionNode& call, const Partition& partition) {
  const std::string_view name = call.function->name;
  const bool renames = name == "label_replace" || name == "label_join";
  if (!renames && !IsElementwise(name)) return false;
  bool vector = false, first_string = true;
  for (const PlanPtr& arg : call.args) {
    if (arg->type == ValueType::kVector) {
      vector = Preserves(*arg, partition);
      if (!vector) return false;
    } else if (arg->kind == PlanKind::kString) {
      // Of label functions the first is the label that is written.
      if (std::exchange(first_string, false) && Has(partition, static_cast<const StringNode&>(*arg).value))
        return false;
    } else if (Selects(*arg)) {
      return false;
    }
  }
  return vector;
}

bool PreservesRange(const RangeFunctionNode& call, const Partition& partition) {
  if (call.function->name == "absent_over_time") return false;
  if (std::any_of(call.args.begin(), call.args.end(), [](const PlanPtr& arg) { return Selects(*arg); })) return false;
  return call.range->kind == PlanKind::kMatrixSelect ||
         Preserves(*static_cast<const SubqueryNode&>(*call.range).expr, partition);
}

bool PreservesAggregate(const AggregateNode& aggregate, const Partition& partition) {
  for (const std::string& name : partition) {
    if (Has(aggregate.grouping, name) == aggregate.without) return false;
  }
  const PlanNode* param = aggregate.param.get();
  if (param != nullptr && Selects(*param)) return false;
  if (param != nullptr && param->kind == PlanKind::kString &&
      Has(partition, static_cast<const StringNode&>(*param).value)) {
    return false;
  }
  // The order of what these give at one time is part of the answer, and the Query API's range queries have none.
  const bool ordered = aggregate.op == AggregateOp::kTopK || aggregate.op == AggregateOp::kBottomK ||
                       aggregate.op == AggregateOp::kLimitK || aggregate.op == AggregateOp::kLimitRatio;
  if (ordered && aggregate.grid.instant()) return false;
  return Preserves(*aggregate.expr, partition);
}

bool PreservesBinary(const BinaryNode& binary, const Partition& partition) {
  if (!binary.matching) {
    const bool scalar_first = binary.lhs->type == ValueType::kScalar;
    const PlanNode &scalar = *(scalar_first ? binary.lhs : binary.rhs),
                   &vector = *(scalar_first ? binary.rhs : binary.lhs);
    return !Selects(scalar) && Preserves(vector, partition);
  }
  const VectorMatching& matching = *binary.matching;
  if (matching.fill_left || matching.fill_right) return false;
  for (const std::string& name : partition) {
    if (Has(matching.labels, name) != matching.on) return false;
  }
  return Preserves(*binary.lhs, partition) && Preserves(*binary.rhs, partition);
}

}  // namespace

bool Preserves(const PlanNode& node, const Partition& partition) {
  if (node.type != ValueType::kVector) return false;
  switch (node.kind) {
    case PlanKind::kVectorSelect:
      return true;
    case PlanKind::kFunction:
      return PreservesCall(static_cast<const FunctionNode&>(node), partition);
    case PlanKind::kRangeFunction:
      return PreservesRange(static_cast<const RangeFunctionNode&>(node), partition);
    case PlanKind::kAggregate:
      return PreservesAggregate(static_cast<const AggregateNode&>(node), partition);
    case PlanKind::kBinary:
      return PreservesBinary(static_cast<const BinaryNode&>(node), partition);
    case PlanKind::kNegate:
      return Preserves(*static_cast<const NegateNode&>(node).expr, partition);
    case PlanKind::kStepInvariant:
      return Preserves(*static_cast<const StepInvariantNode&>(node).expr, partition);
    default:
      return false;
  }
}

const SelectSpec* SeriesOf(const PlanNode& node) {
  switch (node.kind) {
    case PlanKind::kVectorSelect:
    case PlanKind::kMatrixSelect:
      return SelectOf(node);
    case PlanKind::kSubquery:
      return SeriesOf(*static_cast<const SubqueryNode&>(node).expr);
    case PlanKind::kFunction: {
      const auto& call = static_cast<const FunctionNode&>(node);
      if (!IsElementwise(call.function->name)) return nullptr;
      for (const PlanPtr& arg : call.args) {
        if (arg->type == ValueType::kVector) return SeriesOf(*arg);
      }
      return nullptr;
    }
    case PlanKind::kRangeFunction:
      return SeriesOf(*static_cast<const RangeFunctionNode&>(node).range);
    case PlanKind::kBinary: {
      const auto& binary = static_cast<const BinaryNode&>(node);
      if (binary.matching) return nullptr;
      return SeriesOf(binary.lhs->type == ValueType::kScalar ? *binary.rhs : *binary.lhs);
    }
    case PlanKind::kNegate:
      return SeriesOf(*static_cast<const NegateNode&>(node).expr);
    case PlanKind::kStepInvariant:
      return SeriesOf(*static_cast<const StepInvariantNode&>(node).expr);
    default:
      return nullptr;
  }
}

}  // namespace gauntlet::promql
