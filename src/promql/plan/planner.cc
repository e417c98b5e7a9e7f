#include "promql/plan/planner.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "promql/plan/arithmetic.h"
#include "promql/plan/distribute.h"
#include "promql/plan/durations.h"
#include "promql/plan/invariance.h"
#include "promql/plan/optimizer.h"
#include "promql/syntax/walk.h"

namespace gauntlet::promql {
namespace {

constexpr int kDepthMax = 2000;
// How far before their windows xrate, xincrease and xdelta look for a sample; Thanos' default, which no flag changes.
constexpr int64_t kXLookbackMs = 60 * 60 * 1000;

// What the calls above a selector want of its histograms. Subqueries, trimming and estimates need the buckets, wherever
// they stand.
enum class HistogramUse : uint8_t { kAny, kStatistics, kBuckets };

HistogramUse UseBy(std::string_view function, HistogramUse above) {
  if (above == HistogramUse::kBuckets || function == "histogram_quantile" || function == "histogram_quantiles" ||
      function == "histogram_fraction") {
    return HistogramUse::kBuckets;
  }
  const bool statistics = function == "histogram_count" || function == "histogram_sum" || function == "histogram_avg";
  return statistics ? HistogramUse::kStatistics : above;
}

// What lies above a node: decides its grid and what its selector tells the storage.
struct Scope {
  StepGrid grid;
  int64_t interval_ms = 0;  // of the nearest subquery, or the query's
  // Sums over the enclosing subqueries, restarted at one with `@`.
  int64_t subquery_offset_ms = 0, subquery_range_ms = 0;
  std::optional<int64_t> subquery_at_ms;
  std::string_view func;                     // nearest function or aggregation, not beyond a binary operator
  const AggregateExpr* aggregate = nullptr;  // when directly above
  HistogramUse histograms = HistogramUse::kAny;
  int depth = 0;
};

class Planner {
 public:
  Planner(const Expr& root, const PlanOptions& options)
      : options_(options),
        times_{options.start_ms, options.step_ms == 0 ? options.start_ms : options.end_ms, options.step_ms},
        invariance_(root) {}

  Result<Plan> Make(const Expr& root) {
    Scope scope;
    scope.grid.start_ms = options_.start_ms;
    if (options_.step_ms > 0) {
      scope.grid.step_ms = options_.step_ms;
      int64_t steps =
          options_.end_ms < options_.start_ms ? 0 : (options_.end_ms - options_.start_ms) / options_.step_ms + 1;
      if (steps > std::numeric_limits<int32_t>::max()) return Status(Code::kInvalid, "too many steps in the query");
      scope.grid.steps = static_cast<uint32_t>(steps);
    }
    scope.interval_ms = options_.step_ms;
    GN_ASSIGN(PlanPtr plan, Build(root, scope));
    if (min_ms_ > max_ms_) return Plan{std::move(plan), 0, 0, false};
    return Plan{std::move(plan), min_ms_, max_ms_, false};
  }

 private:
  using Built = Result<PlanPtr>;

  Built Build(const Expr& expr, const Scope& scope) {
    if (scope.depth > kDepthMax) return Status(Code::kInvalid, "the expression is nested too deeply");
    if (!invariance_.Wrapped(expr)) return BuildBare(expr, scope);
    Scope once = scope;
    once.grid.steps = std::min(1u, scope.grid.steps);
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

  Built BuildBare(const Expr& expr, const Scope& scope) {
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
        return BuildCall(static_cast<const Call&>(expr), scope);
      case NodeKind::kDuration:
        break;
    }
    return Status(Code::kInternal, "unexpected node in an expression");
  }

  static Scope Below(const Scope& scope) {
    Scope below = scope;
    below.aggregate = nullptr;
    ++below.depth;
    return below;
  }

  void Describe(PlanNode& node, const Expr& expr, const Scope& scope) {
    node.type = expr.type();
    node.grid = scope.grid;
    node.pos = expr.pos;
  }

  // Names the node after itself and the first selector below.
  void Title(PlanNode& node) {
    node.title = PlanOperatorName(node);
    for (const PlanNode* child : PlanChildren(node)) {
      size_t at = child->title.find(" for ");
      if (at == std::string::npos) continue;
      node.title += child->title.substr(at);
      return;
    }
  }

  Built Number(const Expr& expr, double value, const Scope& scope) {
    auto node = std::make_shared<NumberNode>();
    Describe(*node, expr, scope);
    node->type = ValueType::kScalar;
    node->value = value;
    return PlanPtr(node);
  }

  // The `@` time, if there is one and it has effect.
  std::optional<int64_t> At(const Expr& expr, const TimeModifiers& time) const {
    switch (time.at) {
      case AtModifier::kNone:
        return std::nullopt;
      case AtModifier::kTimestamp:
        return time.at_ms;
      case AtModifier::kStart:
      case AtModifier::kEnd:
        if (!invariance_.Visited(expr)) return std::nullopt;
        return time.at == AtModifier::kStart ? times_.start_ms : times_.end_ms;
    }
    return std::nullopt;
  }

  Result<int64_t> Offset(const TimeModifiers& time) const {
    if (time.offset_expr == nullptr) return time.offset_ms;
    return ResolveDuration(*time.offset_expr, times_, true);
  }

  // Fills what the storage is told. `range_ms` is 0 for an instant selector.
  Result<int64_t> Select(const VectorSelector& selector, int64_t range_ms, const Scope& scope, SelectSpec* select) {
    GN_ASSIGN(int64_t offset, Offset(selector.time));
    int64_t start = times_.start_ms, end = times_.end_ms;
    if (scope.subquery_at_ms) start = end = *scope.subquery_at_ms;
    std::optional<int64_t> at = At(selector, selector.time);
    if (at) {
      start = end = *at;
    } else {
      start -= scope.subquery_offset_ms + scope.subquery_range_ms;
      end -= scope.subquery_offset_ms;
    }
    int64_t lookback = options_.lookback_delta_ms;
    if (range_ms == 0) {
      start -= lookback - 1;
    } else {
      start -= range_ms - 1 + (selector.anchored || selector.smoothed ? lookback : 0);
      if (IsXFunction(scope.func)) start -= kXLookbackMs;
    }
    if (selector.smoothed) end += lookback;
    select->matchers = selector.matchers;
    select->start_ms = start - offset;
    select->end_ms = end - offset;
    select->step_ms = scope.interval_ms;
    select->range_ms = range_ms;
    select->func = scope.func;
    if (scope.aggregate != nullptr) {
      select->by = !scope.aggregate->without;
      select->grouping = scope.aggregate->grouping;
      std::sort(select->grouping.begin(), select->grouping.end());
    }
    min_ms_ = std::min(min_ms_, select->start_ms);
    max_ms_ = std::max(max_ms_, select->end_ms);
    return at ? scope.grid.start_ms - (*at - offset) : offset;
  }

  static bool IsXFunction(std::string_view func) { return func == "xrate" || func == "xincrease" || func == "xdelta"; }

  static bool HasOneName(const Matchers& matchers) {
    return std::any_of(matchers.begin(), matchers.end(),
                       [](const Matcher& m) { return m.name() == kMetricName && m.type() == MatchType::kEqual; });
  }

  Built VectorSelect(const VectorSelector& selector, const Scope& scope) {
    auto node = std::make_shared<VectorSelectNode>();
    Describe(*node, selector, scope);
    GN_ASSIGN(node->shift_ms, Select(selector, 0, scope, &node->select));
    node->lookback_ms = options_.lookback_delta_ms;
    node->smoothed = selector.smoothed;
    node->histogram_statistics = scope.histograms == HistogramUse::kStatistics;
    node->single_name = HasOneName(selector.matchers);
    node->title = "select for " + SelectorText(selector.matchers);
    return PlanPtr(node);
  }

  Built MatrixSelect(const MatrixSelector& matrix, const Scope& scope) {
    const VectorSelector& selector = *matrix.selector;
    auto node = std::make_shared<MatrixSelectNode>();
    Describe(*node, matrix, scope);
    node->range_ms = matrix.range_ms;
    if (matrix.range_expr != nullptr) {
      GN_ASSIGN(node->range_ms, ResolveDuration(*matrix.range_expr, times_, false));
    }
    Scope below = Below(scope);
    GN_ASSIGN(node->shift_ms, Select(selector, node->range_ms, below, &node->select));
    node->lookback_ms = IsXFunction(scope.func) ? kXLookbackMs : options_.lookback_delta_ms;
    node->fixed = At(selector, selector.time).has_value();
    node->anchored = selector.anchored;
    node->smoothed = selector.smoothed;
    node->histogram_statistics = scope.histograms == HistogramUse::kStatistics;
    node->single_name = HasOneName(selector.matchers);
    node->title = "range select for " + SelectorText(selector.matchers);
    return PlanPtr(node);
  }

  Built Subquery(const SubqueryExpr& subquery, const Scope& scope) {
    auto node = std::make_shared<SubqueryNode>();
    Describe(*node, subquery, scope);
    GN_ASSIGN(int64_t offset, Offset(subquery.time));
    node->range_ms = subquery.range_ms;
    if (subquery.range_expr != nullptr) {
      GN_ASSIGN(node->range_ms, ResolveDuration(*subquery.range_expr, times_, false));
    }
    int64_t step = subquery.step_ms;
    if (subquery.step_expr != nullptr) {
      GN_ASSIGN(step, ResolveDuration(*subquery.step_expr, times_, false));
    }
    if (step == 0) {
      step = options_.no_step_subquery_interval ? options_.no_step_subquery_interval(node->range_ms) : 60'000;
    }
    std::optional<int64_t> at = At(subquery, subquery.time);
    node->fixed = at.has_value();
    node->shift_ms = at ? scope.grid.start_ms - (*at - offset) : offset;

    Scope below = Below(scope);
    below.interval_ms = step;
    below.histograms = HistogramUse::kBuckets;
    below.subquery_offset_ms = (at ? 0 : scope.subquery_offset_ms) + offset;
    below.subquery_range_ms = (at ? 0 : scope.subquery_range_ms) + node->range_ms;
    if (at) below.subquery_at_ms = at;
    GN_ASSIGN(below.grid, InnerGrid(scope.grid, node->shift_ms, node->range_ms, step));
    GN_ASSIGN(node->expr, Build(*subquery.expr, below));
    node->single_name = node->expr->single_name;
    Title(*node);
    return PlanPtr(node);
  }

  // The multiples of `step` in (first reference time - range, last reference time].
  static Result<StepGrid> InnerGrid(const StepGrid& outer, int64_t shift_ms, int64_t range_ms, int64_t step) {
    StepGrid grid;
    grid.step_ms = step;
    if (outer.steps == 0) {
      grid.start_ms = outer.start_ms;
      grid.steps = 0;
      return grid;
    }
    int64_t after = outer.start_ms - shift_ms - range_ms, end = outer.last_ms() - shift_ms;
    grid.start_ms = after / step * step;
    if (grid.start_ms <= after) grid.start_ms += step;
    int64_t steps = end < grid.start_ms ? 0 : (end - grid.start_ms) / step + 1;
    if (steps > std::numeric_limits<int32_t>::max()) return Status(Code::kInvalid, "too many steps in a subquery");
    grid.steps = static_cast<uint32_t>(steps);
    return grid;
  }

  Built Unary(const UnaryExpr& unary, const Scope& scope) {
    GN_ASSIGN(PlanPtr inner, Build(*unary.expr, Below(scope)));
    if (!unary.minus) return inner;
    auto node = std::make_shared<NegateNode>();
    Describe(*node, unary, scope);
    node->expr = std::move(inner);
    node->single_name = node->expr->single_name;
    Title(*node);
    return PlanPtr(node);
  }

  // A chain of operators from left to right, up to a part of it that is evaluated once for all steps.
  Built Chain(const BinaryExpr& top, const Scope& scope) {
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

  Built Binary(const BinaryExpr& binary, PlanPtr lhs, const Scope& scope, const Scope& below) {
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

  // Trimming has no meaning between numbers: an error when it is run.
  static bool AreNumbers(BinaryOp op, const PlanNode& lhs, const PlanNode& rhs) {
    return lhs.kind == PlanKind::kNumber && rhs.kind == PlanKind::kNumber && op != BinaryOp::kTrimLower &&
           op != BinaryOp::kTrimUpper;
  }

  Built Aggregate(const AggregateExpr& aggregate, const Scope& scope) {
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

  // The average over windows of time, which weigh as many samples as they hold: their sum by their count.
  Built WindowAverage(const Call& call, const Scope& scope) {
    auto node = std::make_shared<BinaryNode>();
    Describe(*node, call, scope);
    GN_ASSIGN(node->lhs, BuildCall(call, *FindFunction("sum_over_time"), scope));
    GN_ASSIGN(node->rhs, BuildCall(call, *FindFunction("count_over_time"), scope));
    node->op = BinaryOp::kDiv;
    node->matching.emplace();
    node->single_name = node->lhs->single_name && node->rhs->single_name;
    Title(*node);
    return PlanPtr(node);
  }

  Built BuildCall(const Call& call, const Scope& scope) {
    if (options_.windows && call.function->name == std::string_view("avg_over_time") &&
        Unparen(*call.args.front()).kind == NodeKind::kMatrixSelector) {
      return WindowAverage(call, scope);
    }
    return BuildCall(call, *call.function, scope);
  }

  Built BuildCall(const Call& call, const Function& function, const Scope& scope) {
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
    bool renames = name == "label_replace" || name == "label_join";
    if (range == nullptr) {
      auto node = std::make_shared<FunctionNode>();
      Describe(*node, call, scope);
      node->function = call.function;
      node->args = std::move(args);
      for (const PlanPtr& arg : node->args) node->single_name = node->single_name && arg->single_name;
      if (renames) node->single_name = false;
      Title(*node);
      return PlanPtr(node);
    }
    auto node = std::make_shared<RangeFunctionNode>();
    Describe(*node, call, scope);
    node->function = &function;
    // Upstream evaluates a subquery first and puts in its place samples that come from nowhere.
    const Expr& first = Unparen(*call.args.front());
    if (first.kind != NodeKind::kSubquery) node->first_arg_pos = first.pos;
    node->single_name = range->single_name;
    if (options_.windows && name == "count_over_time" && range->kind == PlanKind::kMatrixSelect) {
      // What is selected counts itself.
      static_cast<MatrixSelectNode&>(*range).select.func = kSampleCounts;
      node->function = FindFunction("sum_over_time");
    }
    node->range = std::move(range);
    node->args = std::move(args);
    Title(*node);
    return PlanPtr(node);
  }

  Built InfoCall(const Call& call, const Scope& scope) {
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

  // The time modifiers of the first selector in `expr`, and of the subqueries around it, also govern the info series.
  Status InfoTime(const Expr& expr, std::optional<int64_t>* at, int64_t* offset) const {
    Status status;
    bool found = false;
    auto add = [&](const Expr& e, const TimeModifiers& time) {
      Result<int64_t> more = Offset(time);
      if (!more.ok()) {
        status = more.status();
        return;
      }
      *offset += *more;
      *at = At(e, time);
    };
    Inspect(expr, [&](const Expr& e, std::span<const Expr* const> path) {
      if (found || e.kind != NodeKind::kVectorSelector) return !found;
      found = true;
      add(e, static_cast<const VectorSelector&>(e).time);
      for (size_t i = path.size(); i-- > 0 && !at->has_value();) {
        if (path[i]->kind == NodeKind::kSubquery) add(*path[i], static_cast<const SubqueryExpr*>(path[i])->time);
      }
      return false;
    });
    return status;
  }

  Built InfoSelect(const Call& call, const Scope& scope) {
    std::optional<int64_t> at;
    int64_t offset = 0;
    GN_TRY(InfoTime(*call.args[0], &at, &offset));
    auto node = std::make_shared<VectorSelectNode>();
    const Expr& described = call.args.size() > 1 ? *call.args[1] : static_cast<const Expr&>(call);
    Describe(*node, described, scope);
    node->type = ValueType::kVector;
    if (call.args.size() > 1) {
      node->select.matchers = static_cast<const VectorSelector&>(Unparen(*call.args[1])).matchers;
    } else {
      node->select.matchers.push_back(Matcher::Equal(std::string(kMetricName), "target_info"));
    }
    if (at) node->grid.steps = std::min(1u, scope.grid.steps);
    node->shift_ms = at ? scope.grid.start_ms - (*at - offset) : offset;
    node->lookback_ms = options_.lookback_delta_ms;
    SelectSpec& select = node->select;
    select.start_ms = node->grid.start_ms - node->shift_ms - (node->lookback_ms - 1);
    select.end_ms = (node->grid.steps == 0 ? node->grid.start_ms : node->grid.last_ms()) - node->shift_ms;
    select.step_ms = scope.interval_ms;
    select.func = "info";
    min_ms_ = std::min(min_ms_, select.start_ms);
    max_ms_ = std::max(max_ms_, select.end_ms);
    node->single_name = HasOneName(select.matchers);
    node->title = "select for " + SelectorText(select.matchers);
    if (!at || scope.grid.steps <= 1) return PlanPtr(node);
    auto repeated = std::make_shared<StepInvariantNode>();
    Describe(*repeated, call, scope);
    repeated->title = node->title;
    repeated->expr = std::move(node);
    return PlanPtr(repeated);
  }

  const PlanOptions& options_;
  const QueryTimes times_;
  const Invariance invariance_;
  int64_t min_ms_ = std::numeric_limits<int64_t>::max(), max_ms_ = std::numeric_limits<int64_t>::min();
};

}  // namespace

Result<Plan> MakePlainPlan(const Expr& expr, const PlanOptions& options) { return Planner(expr, options).Make(expr); }

Result<Plan> MakePlan(const Expr& expr, const PlanOptions& options, const Leaves* leaves, std::string_view query) {
  GN_ASSIGN(Plan plan, MakePlainPlan(expr, options));
  if (leaves != nullptr) Distribute(*leaves, query, options, &plan);
  PropagateMatchers(plan.root.get(), !options.type_and_unit_labels);
  ShareSubtrees(&plan.root);
  return plan;
}

}  // namespace gauntlet::promql
