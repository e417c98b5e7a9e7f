// Planner: from a parsed expression and the times of a query to a plan.
//
// Upstream: prometheus promql/engine.go (PreprocessExpr, populateSeries, FindMinMaxTime)
// Threads:  a function; the syntax tree is only read.

#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "base/status.h"
#include "promql/plan/leaves.h"
#include "promql/plan/node.h"
#include "promql/syntax/ast.h"

namespace gauntlet::promql {

// In place of "count_over_time" as the function of a select: values are to be how many samples each one stands for, and
// are added up.
inline constexpr char kSampleCounts[] = "sample_counts";

struct PlanOptions {
  int64_t start_ms = 0, end_ms = 0;
  int64_t step_ms = 0;  // 0: an instant query at start_ms
  int64_t lookback_delta_ms = 5 * 60 * 1000;
  std::function<int64_t(int64_t range_ms)> no_step_subquery_interval;  // one minute when absent
  // Whether the storage may give windows of time for samples: then it is asked with kSampleCounts what they count.
  bool windows = false;
  bool type_and_unit_labels = false;
};

struct Plan {
  PlanPtr root;
  // What the selectors read, for MakeQuerier; 0, 0 without selectors.
  int64_t min_time_ms = 0, max_time_ms = 0;
  bool distributed = false;  // leaves evaluate parts of it
};

// As it is written, nothing shared or propagated. kInvalid for durations that come out wrong, and for nesting beyond
// reason.
Result<Plan> MakePlainPlan(const Expr& expr, const PlanOptions& options);
// The same optimized; with `leaves`, to which parts of `query` (the text of `expr`) are given, when not null.
Result<Plan> MakePlan(const Expr& expr, const PlanOptions& options, const Leaves* leaves = nullptr,
                      std::string_view query = {});

}  // namespace gauntlet::promql
