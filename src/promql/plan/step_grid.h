// StepGrid: the times at which an expression is evaluated: start, start + step, ...
//
// Threads: a value.

#pragma once

#include <cstdint>

namespace gauntlet::promql {

struct StepGrid {
  int64_t start_ms = 0;
  int64_t step_ms = 1;  // > 0, also when there is one step only
  uint32_t steps = 1;   // 0: a subquery whose aligned start lies behind its end; nothing is evaluated
  bool ranged = false;  // one step, but its evaluation ends later: what differs for ranges differs here too

  // Whether this is evaluated as an instant query is: upstream orders and merges otherwise then.
  bool instant() const { return steps == 1 && !ranged; }

  int64_t time_ms(uint32_t step) const { return start_ms + static_cast<int64_t>(step) * step_ms; }
  // REQUIRES: steps > 0
  int64_t last_ms() const { return time_ms(steps - 1); }
  bool operator==(const StepGrid&) const = default;
};

}  // namespace gauntlet::promql
