// How often loops look whether the query is over, so that this is seen within a few milliseconds.
//
// Threads: functions.

#pragma once

#include <algorithm>
#include <cstdint>

namespace gauntlet::promql {

// A few milliseconds of the slowest loop over steps or samples; of work, as CheckCancelAfter counts it.
inline constexpr uint32_t kPollSteps = 1 << 16;
inline constexpr uint64_t kPollWork = 500'000;

// Calls fn(begin, end) for the blocks of [0, size), whole words of 64 steps each. False when ended() was true between
// two of them: the rest is then not done.
template <typename Ended, typename Fn>
bool InBlocks(uint32_t size, Ended&& ended, Fn&& fn) {
  for (uint64_t begin = 0; begin < size; begin += kPollSteps) {
    if (begin > 0 && ended()) return false;
    fn(static_cast<uint32_t>(begin), static_cast<uint32_t>(std::min<uint64_t>(begin + kPollSteps, size)));
  }
  return true;
}

}  // namespace gauntlet::promql
