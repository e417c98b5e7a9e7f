#include "promql/plan/selection.h"

#include <algorithm>
#include <span>

#include "promql/syntax/walk.h"

namespace gauntlet::promql {

bool IsXFunction(std::string_view function) {
  return function == "xrate" || function == "xincrease" || function == "xdelta";
}

std::optional<int64_t> Selection::At(const Expr& expr, const TimeModifiers& time) const {
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

Result<int64_t> Selection::Offset(const TimeModifiers& time) const {
  if (time.offset_expr == nullptr) return time.offset_ms;
  return ResolveDuration(*time.offset_expr, times_, true);
}

Result<int64_t> Selection::Fill(const VectorSelector& selector, int64_t range_ms, const Scope& scope,
                                SelectSpec* select) {
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
  Read(*select);
  return Shift(scope, at, offset);
}

Status Selection::InfoTime(const Expr& expr, std::optional<int64_t>* at, int64_t* offset) const {
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

Status Selection::FillInfo(const Expr& expr, const Scope& scope, VectorSelectNode* node) {
  std::optional<int64_t> at;
  int64_t offset = 0;
  GN_TRY(InfoTime(expr, &at, &offset));
  if (at) node->grid.steps = std::min(1u, scope.grid.steps);
  node->shift_ms = Shift(scope, at, offset);
  node->lookback_ms = options_.lookback_delta_ms;
  SelectSpec& select = node->select;
  select.start_ms = node->grid.start_ms - node->shift_ms - (node->lookback_ms - 1);
  select.end_ms = (node->grid.steps == 0 ? node->grid.start_ms : node->grid.last_ms()) - node->shift_ms;
  select.step_ms = scope.interval_ms;
  select.func = "info";
  Read(select);
  return Status();
}

void Selection::Read(const SelectSpec& select) {
  min_ms_ = std::min(min_ms_, select.start_ms);
  max_ms_ = std::max(max_ms_, select.end_ms);
}

}  // namespace gauntlet::promql
