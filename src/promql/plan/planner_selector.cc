// Selectors and subqueries.

#include <limits>
#include <optional>
#include <utility>

#include "promql/plan/planner_core.h"

namespace gauntlet::promql {
namespace {

// The multiples of `step` in (first reference time - range, last reference time].
Result<StepGrid> InnerGrid(const Scope& scope, int64_t shift_ms, int64_t range_ms, int64_t step) {
  const StepGrid& outer = scope.grid;
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
  grid.ranged = steps == 1 && grid.start_ms != scope.end_ms - shift_ms;
  return grid;
}

// What the selector and those above it say about either kind.
void FillSelect(const VectorSelector& selector, HistogramUse histograms, std::string_view what, SelectNode* node) {
  node->smoothed = selector.smoothed;
  node->histogram_statistics = histograms == HistogramUse::kStatistics;
  node->single_name = HasOneName(selector.matchers);
  node->title = std::string(what) + " for " + SelectorText(selector.matchers);
}

}  // namespace

Planner::Built Planner::VectorSelect(const VectorSelector& selector, const Scope& scope) {
  auto node = std::make_shared<VectorSelectNode>();
  Describe(*node, selector, scope);
  GN_ASSIGN(node->shift_ms, selection_.Fill(selector, 0, scope, &node->select));
  node->lookback_ms = options_.lookback_delta_ms;
  FillSelect(selector, scope.histograms, "select", node.get());
  return PlanPtr(node);
}

Planner::Built Planner::MatrixSelect(const MatrixSelector& matrix, const Scope& scope) {
  const VectorSelector& selector = *matrix.selector;
  auto node = std::make_shared<MatrixSelectNode>();
  Describe(*node, matrix, scope);
  node->range_ms = matrix.range_ms;
  if (matrix.range_expr != nullptr) {
    GN_ASSIGN(node->range_ms, ResolveDuration(*matrix.range_expr, times_, false));
  }
  Scope below = Below(scope);
  GN_ASSIGN(node->shift_ms, selection_.Fill(selector, node->range_ms, below, &node->select));
  node->lookback_ms = IsXFunction(scope.func) ? kXLookbackMs : options_.lookback_delta_ms;
  node->fixed = selection_.At(selector, selector.time).has_value();
  node->anchored = selector.anchored;
  FillSelect(selector, scope.histograms, "range select", node.get());
  return PlanPtr(node);
}

Planner::Built Planner::Subquery(const SubqueryExpr& subquery, const Scope& scope) {
  auto node = std::make_shared<SubqueryNode>();
  Describe(*node, subquery, scope);
  GN_ASSIGN(int64_t offset, selection_.Offset(subquery.time));
  int64_t step = subquery.step_ms;
  if (subquery.step_expr != nullptr) {
    GN_ASSIGN(step, ResolveDuration(*subquery.step_expr, times_, false));
  }
  node->range_ms = subquery.range_ms;
  if (subquery.range_expr != nullptr) {
    GN_ASSIGN(node->range_ms, ResolveDuration(*subquery.range_expr, times_, false));
  }
  if (step == 0) {
    step = options_.no_step_subquery_interval ? options_.no_step_subquery_interval(node->range_ms) : 60'000;
  }
  std::optional<int64_t> at = selection_.At(subquery, subquery.time);
  node->fixed = at.has_value();
  node->shift_ms = Selection::Shift(scope, at, offset);

  Scope below = Below(scope);
  below.interval_ms = step;
  below.histograms = HistogramUse::kBuckets;
  below.subquery_offset_ms = (at ? 0 : scope.subquery_offset_ms) + offset;
  below.subquery_range_ms = (at ? 0 : scope.subquery_range_ms) + node->range_ms;
  if (at) below.subquery_at_ms = at;
  GN_ASSIGN(below.grid, InnerGrid(scope, node->shift_ms, node->range_ms, step));
  below.end_ms = scope.end_ms - node->shift_ms;
  GN_ASSIGN(node->expr, Build(*subquery.expr, below));
  node->single_name = node->expr->single_name;
  Title(*node);
  return PlanPtr(node);
}

}  // namespace gauntlet::promql
