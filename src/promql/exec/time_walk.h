// Walks the times of a series along with the steps of a grid.
//
// Threads:  functions.

#pragma once

#include <algorithm>
#include <cstdint>

namespace gauntlet::promql {

// By how many samples a step moves on at most when samples come at their usual interval; 0 when there is no use in
// knowing. `count` samples from first_ms to last_ms.
inline uint32_t UsualMove(int64_t step_ms, uint32_t count, int64_t first_ms, int64_t last_ms) {
  constexpr uint64_t kWorthKnowing = 4;
  if (count < 2 || step_ms <= 0) return 0;
  const uint64_t span = static_cast<uint64_t>(last_ms) - static_cast<uint64_t>(first_ms);
  const uint64_t interval = std::max<uint64_t>(1, span / (count - 1)), step = static_cast<uint64_t>(step_ms);
  const uint64_t samples = step / interval + (step % interval != 0);
  return samples <= kWorthKnowing ? static_cast<uint32_t>(samples) : 0;
}

// Moves `at` (of `count`) beyond the times up to `limit`. The first `usual` moves need no branch, which the processor
// could not foresee where steps and samples are out of tune.
template <typename TimeAt>
[[gnu::always_inline]] inline uint32_t MoveBeyond(uint32_t at, uint32_t count, int64_t limit, uint32_t usual,
                                                  TimeAt time) {
  if (at + usual <= count) {
    for (uint32_t i = 0; i < usual; ++i) at += time(at) <= limit;
  }
  while (at < count && time(at) <= limit) ++at;
  return at;
}

}  // namespace gauntlet::promql
