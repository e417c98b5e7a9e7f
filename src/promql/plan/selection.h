// Selection: what selectors ask of the storage: `offset`, `@`, lookback and enclosing subqueries made into times.
//
// Upstream: prometheus promql/engine.go (getTimeRangesForSelector, populateSeries, FindMinMaxTime), info.go
// Threads:  one thread at a time.      Borrows: all that it is made with.

#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

#include "base/status.h"
#include "promql/plan/durations.h"
#include "promql/plan/invariance.h"
#include "promql/plan/node.h"
#include "promql/plan/planner.h"
#include "promql/plan/scope.h"

namespace gauntlet::promql {

// How far before their windows xrate, xincrease and xdelta look for a sample; Thanos' default, which no flag changes.
inline constexpr int64_t kXLookbackMs = 60 * 60 * 1000;
bool IsXFunction(std::string_view function);

class Selection {
 public:
  Selection(const PlanOptions& options, const QueryTimes& times, const Invariance& invariance)
      : options_(options), times_(times), invariance_(invariance) {}

  // The `@` time, if there is one and it has effect.
  std::optional<int64_t> At(const Expr& expr, const TimeModifiers& time) const;
  // In milliseconds; kInvalid when its expression comes out wrong.
  Result<int64_t> Offset(const TimeModifiers& time) const;
  // How far the reference time of a step is before the step: `offset` and `@` in one.
  static int64_t Shift(const Scope& scope, std::optional<int64_t> at_ms, int64_t offset_ms) {
    return at_ms ? scope.grid.start_ms - (*at_ms - offset_ms) : offset_ms;
  }

  // Fills what the storage is told, and returns the shift. `range_ms` is 0 for an instant selector.
  Result<int64_t> Fill(const VectorSelector& selector, int64_t range_ms, const Scope& scope, SelectSpec* select);
  // The same for the info series of info(expr, ..): the time modifiers of the first selector in `expr`, and of the
  // subqueries around it, govern them too. With an `@` they are looked up once: the node's grid becomes one step.
  Status FillInfo(const Expr& expr, const Scope& scope, VectorSelectNode* node);

  // All that the selectors so far read, for MakeQuerier; min above max when there was none.
  int64_t min_time_ms() const { return min_ms_; }
  int64_t max_time_ms() const { return max_ms_; }

 private:
  Status InfoTime(const Expr& expr, std::optional<int64_t>* at, int64_t* offset) const;
  void Read(const SelectSpec& select);

  const PlanOptions& options_;
  const QueryTimes& times_;
  const Invariance& invariance_;
  int64_t min_ms_ = std::numeric_limits<int64_t>::max(), max_ms_ = std::numeric_limits<int64_t>::min();
};

}  // namespace gauntlet::promql
