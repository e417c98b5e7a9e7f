// Scope: what lies above a node of the syntax tree: it decides the node's grid and what selectors tell the storage.
//
// Threads: a value.      Borrows: the syntax tree.

#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "promql/plan/step_grid.h"
#include "promql/syntax/ast.h"

namespace gauntlet::promql {

// What the calls above a selector want of its histograms. Subqueries, trimming and estimates need the buckets, wherever
// they stand.
enum class HistogramUse : uint8_t { kAny, kStatistics, kBuckets };

struct Scope {
  StepGrid grid;
  int64_t end_ms = 0;       // of the evaluation; the last step may lie before
  int64_t interval_ms = 0;  // of the nearest subquery, or the query's
  // Sums over the enclosing subqueries, restarted at one with `@`.
  int64_t subquery_offset_ms = 0, subquery_range_ms = 0;
  std::optional<int64_t> subquery_at_ms;
  std::string_view func;                     // nearest function or aggregation, not beyond a binary operator
  const AggregateExpr* aggregate = nullptr;  // when directly above
  HistogramUse histograms = HistogramUse::kAny;
  int depth = 0;
};

}  // namespace gauntlet::promql
