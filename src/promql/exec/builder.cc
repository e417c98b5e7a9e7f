#include "promql/exec/builder.h"

#include <fmt/format.h>

#include <utility>

#include "promql/exec/aggregate/aggregate.h"
#include "promql/exec/analysis.h"
#include "promql/exec/binary/binary_kernels.h"
#include "promql/exec/binary/binary_scalar.h"
#include "promql/exec/binary/binary_vector.h"
#include "promql/exec/binary_chain.h"
#include "promql/exec/functions/elementwise.h"
#include "promql/exec/functions/histogram_functions.h"
#include "promql/exec/functions/label_functions.h"
#include "promql/exec/functions/scalar.h"
#include "promql/exec/functions/vector_functions.h"
#include "promql/exec/remote.h"
#include "promql/exec/rows/merge.h"
#include "promql/exec/select/info.h"
#include "promql/exec/select/instant_select.h"
#include "promql/exec/select/range_select.h"
#include "promql/exec/select/scan.h"
#include "promql/exec/shared_rows.h"

namespace gauntlet::promql {
namespace {

Status Unsupported(std::string_view what) {
  return Status(Code::kUnsupported, fmt::format("{} is not yet supported", what));
}

// The date of the step, where a date function has no argument.
class DateOfTime : public ScalarOperator {
 public:
  DateOfTime(const ExecContext& context, const StepGrid& grid, ValueFunction part)
      : context_(context), grid_(grid), part_(part) {}
  Status Evaluate(std::vector<double>* values) override {
    values->resize(grid_.steps);
    return context_.InBlocks(grid_.steps, [&](uint32_t begin, uint32_t end) {
      for (uint32_t i = begin; i < end; ++i) {
        const int64_t seconds = grid_.time_ms(i) / 1000;
        (*values)[i] = part_(static_cast<double>(seconds));
      }
    });
  }

 private:
  const ExecContext& context_;
  const StepGrid grid_;
  const ValueFunction part_;
};

std::vector<std::string> StringArgs(const std::vector<PlanPtr>& args) {
  std::vector<std::string> strings;
  for (const PlanPtr& arg : args) {
    if (arg->kind == PlanKind::kString) strings.push_back(static_cast<const StringNode&>(*arg).value);
  }
  return strings;
}

const Matchers* SelectorOf(const PlanNode& node) {
  if (node.kind == PlanKind::kRemote) return SelectorOf(*static_cast<const RemoteNode&>(node).expr);
  const SelectSpec* select = SelectOf(node);
  return select != nullptr ? &select->matchers : nullptr;
}

}  // namespace

std::unique_ptr<SampleScope> Builder::MakeScope(const StepGrid& grid, bool per_step) const {
  auto scope = std::make_unique<SampleScope>();
  if (per_step) {
    scope->total_per_step.resize(grid.steps);
    scope->read_per_step.resize(grid.steps);
  }
  return scope;
}

Builder::Vectors Builder::Vector(const PlanNode& node, SampleScope* scope) {
  if (node.uses > 1) return Shared(node, scope);
  GN_ASSIGN(auto out, VectorOf(node, scope));
  return context_.analysis != nullptr ? Measure(context_, node, std::move(out)) : std::move(out);
}

// The first use makes it, with per-step counts when anybody wants them.
Builder::Vectors Builder::Shared(const PlanNode& node, SampleScope* scope) {
  std::shared_ptr<SharedRows>& shared = shared_[&node];
  if (shared == nullptr) {
    auto inner = MakeScope(node.grid, !scope->total_per_step.empty() || per_step_stats_);
    GN_ASSIGN(auto input, VectorOf(node, inner.get()));
    if (context_.analysis != nullptr) input = Measure(context_, node, std::move(input));
    shared = std::make_shared<SharedRows>(context_, node, std::move(input), std::move(inner));
  }
  return ReadShared(context_, shared, scope);
}

Builder::Vectors Builder::VectorOf(const PlanNode& node, SampleScope* scope) {
  if (node.type == ValueType::kScalar) {
    GN_ASSIGN(auto scalar, Scalar(node, scope));
    return MakeVectorOfScalar(context_, node, std::move(scalar));
  }
  switch (node.kind) {
    case PlanKind::kVectorSelect: {
      const auto& select = static_cast<const VectorSelectNode&>(node);
      auto reader = select.smoothed ? MakeSmoothedReader(select) : MakeInstantReader(select, InstantValue::kSample);
      return std::unique_ptr<Operator>(std::make_unique<Scan>(context_, node, select.select, std::move(reader), scope));
    }
    case PlanKind::kFunction:
      return Function(static_cast<const FunctionNode&>(node), scope);
    case PlanKind::kRangeFunction:
      return RangeFunction(static_cast<const RangeFunctionNode&>(node), scope);
    case PlanKind::kAggregate:
      return Aggregate(static_cast<const AggregateNode&>(node), scope);
    case PlanKind::kBinary:
      return Binary(static_cast<const BinaryNode&>(node), scope);
    case PlanKind::kNegate: {
      const PlanNode& inner = *static_cast<const NegateNode&>(node).expr;
      GN_ASSIGN(auto input, Vector(inner, scope));
      return Staged(node, std::move(input), MakeNegate(context_, Careful(inner)), Careful(inner), scope);
    }
    case PlanKind::kStepInvariant: {
      const PlanNode& inner = *static_cast<const StepInvariantNode&>(node).expr;
      auto inner_scope = MakeScope(inner.grid, false);
      GN_ASSIGN(auto input, Vector(inner, inner_scope.get()));
      return MakeRepeat(context_, node, std::move(input), std::move(inner_scope), scope);
    }
    case PlanKind::kRemote:
      return MakeRemoteRows(context_, static_cast<const RemoteNode&>(node), scope);
    case PlanKind::kNumber:
    case PlanKind::kString:
    case PlanKind::kMatrixSelect:
    case PlanKind::kSubquery:
      break;
  }
  return Status(Code::kInternal, "unexpected node where a vector is wanted");
}

Builder::Scalars Builder::Scalar(const PlanNode& node, SampleScope* scope) {
  switch (node.kind) {
    case PlanKind::kNumber:
      return MakeConstant(context_, static_cast<const NumberNode&>(node).value, node.grid.steps);
    case PlanKind::kFunction:
      return ScalarFunction(static_cast<const FunctionNode&>(node), scope);
    case PlanKind::kBinary:
      return ScalarBinary(static_cast<const BinaryNode&>(node), scope);
    case PlanKind::kNegate: {
      GN_ASSIGN(auto inner, Scalar(*static_cast<const NegateNode&>(node).expr, scope));
      return MakeScalarNegate(context_, std::move(inner));
    }
    case PlanKind::kStepInvariant: {
      const PlanNode& inner_node = *static_cast<const StepInvariantNode&>(node).expr;
      auto inner_scope = MakeScope(inner_node.grid, false);
      GN_ASSIGN(auto inner, Scalar(inner_node, inner_scope.get()));
      return MakeScalarRepeat(context_, std::move(inner), node.grid.steps, std::move(inner_scope), scope);
    }
    default:
      return Status(Code::kInternal, "unexpected node where a scalar is wanted");
  }
}

Builder::Scalars Builder::ScalarBinary(const BinaryNode& top, SampleScope* scope) {
  const std::vector<const BinaryNode*> chain = PlanChain(top);
  for (const BinaryNode* node : chain) {
    if (node->op == BinaryOp::kTrimLower || node->op == BinaryOp::kTrimUpper) {
      return Status(Code::kInvalid,
                    fmt::format("operator \"{}\" not allowed for Scalar operations", BinaryOpText(node->op)));
    }
  }
  GN_ASSIGN(auto first, Scalar(*chain.back()->lhs, scope));
  std::vector<ScalarTerm> terms;
  for (size_t i = chain.size(); i-- > 0;) {
    GN_ASSIGN(auto rhs, Scalar(*chain[i]->rhs, scope));
    terms.push_back({chain[i]->op, std::move(rhs)});
  }
  return MakeScalarChain(context_, std::move(first), std::move(terms));
}

Builder::Scalars Builder::ScalarFunction(const FunctionNode& node, SampleScope* scope) {
  std::string_view name = node.function->name;
  if (name == "time") return MakeTime(context_, node.grid);
  if (name == "pi") return MakeConstant(context_, 3.14159265358979323846, node.grid.steps);
  if (name == "scalar") {
    GN_ASSIGN(auto input, Vector(*node.args[0], scope));
    return MakeScalarOfVector(context_, node, std::move(input));
  }
  if (name == "max_of" || name == "min_of") {
    GN_ASSIGN(auto lhs, Scalar(*node.args[0], scope));
    GN_ASSIGN(auto rhs, Scalar(*node.args[1], scope));
    return MakeScalarExtremum(context_, name == "max_of", std::move(lhs), std::move(rhs));
  }
  return Unsupported(fmt::format("function \"{}\"", name));
}

Result<std::vector<std::unique_ptr<ScalarOperator>>> Builder::ScalarArgs(const std::vector<PlanPtr>& args,
                                                                         SampleScope* scope) {
  std::vector<std::unique_ptr<ScalarOperator>> out;
  for (const PlanPtr& arg : args) {
    if (arg->type != ValueType::kScalar) continue;
    GN_ASSIGN(auto scalar, Scalar(*arg, scope));
    out.push_back(std::move(scalar));
  }
  return out;
}

std::unique_ptr<Operator> Builder::Staged(const PlanNode& node, std::unique_ptr<Operator> input,
                                          std::unique_ptr<Stage> stage, bool careful, SampleScope* scope) {
  auto out = ApplyStage(context_, node, std::move(input), std::move(stage), scope);
  return careful ? MakeMerge(context_, node, std::move(out)) : std::move(out);
}

Builder::Vectors Builder::Function(const FunctionNode& node, SampleScope* scope) {
  std::string_view name = node.function->name;
  GN_ASSIGN(auto scalars, ScalarArgs(node.args, scope));
  if (name == "vector") return MakeVectorOfScalar(context_, node, std::move(scalars[0]));
  if (node.args.empty()) {
    if (ValueFunction part = FindDateFunction(name)) {
      return MakeVectorOfScalar(context_, node, std::make_unique<DateOfTime>(context_, node.grid, part));
    }
  }
  const PlanNode* vector = nullptr;
  for (const PlanPtr& arg : node.args) {
    if (arg->type == ValueType::kVector) {
      vector = arg.get();
      break;
    }
  }
  if (vector == nullptr) {
    return Unsupported(fmt::format("function \"{}\"", name));
  }
  if ((name == "timestamp" || name == "start_timestamp") && vector->kind == PlanKind::kVectorSelect) {
    const auto& select = static_cast<const VectorSelectNode&>(*vector);
    InstantValue value = InstantValue::kTimestamp;
    if (name != "timestamp") {
      value = context_.options.use_start_timestamps ? InstantValue::kStartTimestamp : InstantValue::kNothing;
    }
    auto input = std::make_unique<Scan>(context_, *vector, select.select, MakeInstantReader(select, value), scope);
    bool careful = Careful(*vector);
    return Staged(node, std::move(input), MakeDropName(context_, careful), careful, scope);
  }
  GN_ASSIGN(auto input, Vector(*vector, scope));
  // What is computed has no start.
  if (name == "start_timestamp") return Staged(node, std::move(input), MakeNothing(), false, scope);
  if (name == "info") return MakeInfo(context_, node, std::move(input), scope);
  if (name == "absent") return MakeAbsent(context_, node, SelectorOf(*vector), false, std::move(input));
  if (name == "label_replace") return MakeLabelReplace(context_, node, StringArgs(node.args), std::move(input));
  if (name == "label_join") return MakeLabelJoin(context_, node, StringArgs(node.args), std::move(input));
  if (name.starts_with("sort")) {
    SortOrder order = name.starts_with("sort_by_label") ? SortOrder::kByLabels : SortOrder::kByValue;
    return MakeSort(context_, node, order, name.ends_with("_desc"), StringArgs(node.args), std::move(input));
  }
  if (name.starts_with("histogram_quantile") || name == "histogram_fraction") {
    std::vector<std::string> strings = StringArgs(node.args);
    return MakeHistogramFunction(context_, node, std::move(scalars), strings.empty() ? "" : strings[0],
                                 std::move(input));
  }
  auto stage = MakeElementwise(context_, node, std::move(scalars), Careful(*vector));
  if (stage == nullptr) return Unsupported(fmt::format("function \"{}\"", name));
  return Staged(node, std::move(input), std::move(stage), Careful(*vector), scope);
}

Builder::Vectors Builder::SubqueryRows(const SubqueryNode& node, SampleScope* scope, bool is_result) {
  // Which of the inner steps were read matters when windows have gaps between them, or somebody asks.
  bool per_step = per_step_stats_ || (node.grid.steps > 1 && node.grid.step_ms > node.range_ms);
  auto inner_scope = MakeScope(node.expr->grid, per_step);
  GN_ASSIGN(auto input, Vector(*node.expr, inner_scope.get()));
  return MakeSubqueryInput(context_, node, std::move(input), std::move(inner_scope), scope, is_result);
}

Builder::Vectors Builder::RangeFunction(const RangeFunctionNode& node, SampleScope* scope) {
  GN_ASSIGN(auto args, ScalarArgs(node.args, scope));
  if (MakeRangeFunction(node.function->name) == nullptr) {
    return Unsupported(fmt::format("function \"{}\"", node.function->name));
  }
  const bool careful = Careful(*node.range) && !KeepsName(node.function->name);
  auto evaluator = std::make_unique<RangeEvaluator>(context_, node, std::move(args), careful);
  std::unique_ptr<Operator> out;
  if (node.range->kind == PlanKind::kMatrixSelect) {
    const auto& select = static_cast<const MatrixSelectNode&>(*node.range);
    out = std::make_unique<Scan>(context_, node, select.select, MakeRangeReader(std::move(evaluator)), scope);
  } else {
    const auto& subquery = static_cast<const SubqueryNode&>(*node.range);
    GN_ASSIGN(auto input, SubqueryRows(subquery, scope));
    out = std::make_unique<StageOperator>(context_, node, std::move(input),
                                          MakeRangeStage(std::move(evaluator), subquery.expr->grid), scope);
  }
  if (node.function->name == "absent_over_time") {
    return MakeAbsent(context_, node, SelectorOf(*node.range), true, std::move(out));
  }
  return careful ? MakeUnique(context_, node, std::move(out)) : std::move(out);
}

Builder::Vectors Builder::Aggregate(const AggregateNode& node, SampleScope* scope) {
  std::unique_ptr<ScalarOperator> param;
  if (node.param != nullptr && node.param->type == ValueType::kScalar) {
    GN_ASSIGN(param, Scalar(*node.param, scope));
  }
  GN_ASSIGN(auto input, Vector(*node.expr, scope));
  switch (node.op) {
    case AggregateOp::kTopK:
    case AggregateOp::kBottomK:
      return MakeTopK(context_, node, std::move(param), std::move(input));
    case AggregateOp::kLimitK:
    case AggregateOp::kLimitRatio:
      return MakeLimit(context_, node, std::move(param), std::move(input));
    case AggregateOp::kCountValues:
      return MakeCountValues(context_, node, static_cast<const StringNode&>(*node.param).value, std::move(input));
    default:
      return MakeAggregate(context_, node, std::move(param), std::move(input));
  }
}

// Operators pull one another by recursion, so a long chain has an operator of its own.
Builder::Vectors Builder::Binary(const BinaryNode& node, SampleScope* scope) {
  constexpr size_t kNestedMax = 64;
  std::vector<const BinaryNode*> chain = PlanChain(node);
  while (chain.back()->type == ValueType::kScalar) chain.pop_back();
  if (chain.size() > kNestedMax) return MakeBinaryChain(context_, *this, std::move(chain), scope);
  std::unique_ptr<Operator> lhs;
  if (node.lhs->type == ValueType::kVector) {
    GN_ASSIGN(lhs, Vector(*node.lhs, scope));
  }
  return Combine(node, std::move(lhs), scope);
}

Builder::Vectors Builder::Combine(const BinaryNode& node, std::unique_ptr<Operator> lhs, SampleScope* scope) {
  const bool scalar_first = node.lhs->type == ValueType::kScalar;
  if (scalar_first || node.rhs->type == ValueType::kScalar) {
    const PlanNode& vector = scalar_first ? *node.rhs : *node.lhs;
    if (scalar_first) {
      GN_ASSIGN(lhs, Vector(vector, scope));
    }
    GN_ASSIGN(auto scalar, Scalar(scalar_first ? *node.lhs : *node.rhs, scope));
    if (scalar_first && (node.op == BinaryOp::kTrimLower || node.op == BinaryOp::kTrimUpper)) {
      return MakeTrimOfScalar(context_, node, std::move(scalar), std::move(lhs));
    }
    bool careful = Careful(vector) && (ChangesMetric(node.op) || node.return_bool);
    auto stage = MakeBinaryScalar(context_, node, std::move(scalar), scalar_first, careful);
    return Staged(node, std::move(lhs), std::move(stage), careful, scope);
  }
  GN_ASSIGN(auto rhs, Vector(*node.rhs, scope));
  if (IsSetOperator(node.op)) return MakeSetOperator(context_, node, std::move(lhs), std::move(rhs));
  return MakeBinaryVector(context_, node, std::move(lhs), std::move(rhs));
}

}  // namespace gauntlet::promql
