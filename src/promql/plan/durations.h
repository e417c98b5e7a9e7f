// Duration expressions: numbers once the query's step and range are known.
//
// Upstream: prometheus promql/durations.go
// Threads:  functions.

#pragma once

#include <cstdint>

#include "base/status.h"
#include "promql/syntax/ast.h"

namespace gauntlet::promql {

// What step() and range() stand for.
struct QueryTimes {
  int64_t start_ms = 0, end_ms = 0;
  int64_t step_ms = 0;  // 0 for an instant query
};

// Milliseconds, cut towards zero. kInvalid "START:END: duration must be greater than 0" and the like.
Result<int64_t> ResolveDuration(const DurationExpr& expr, const QueryTimes& times, bool may_be_negative);

}  // namespace gauntlet::promql
