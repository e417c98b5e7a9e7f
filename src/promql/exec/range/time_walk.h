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
// could not foresee where steps and samples are out of tune, and none of them waits for the one before.
template <typename TimeAt>
[[gnu::always_inline]] inline uint32_t MoveBeyond(uint32_t at, uint32_t count, int64_t limit, uint32_t usual,
                                                  TimeAt time) {
  if (at + usual <= count) {
    uint32_t moves = 0;
    for (uint32_t i = 0; i < usual; ++i) moves += time(at + i) <= limit;
    at += moves;
  }
  while (at < count && time(at) <= limit) ++at;
  return at;
}

// Whether each time follows the one before it at the same interval, as those of a series do that was scraped without a
// miss. `count` is at least 2.
inline bool IsRegular(const int64_t* times, uint32_t count) {
  const auto interval = static_cast<uint64_t>(times[1]) - static_cast<uint64_t>(times[0]);
  uint64_t expected = static_cast<uint64_t>(times[0]), different = 0;
  if (static_cast<uint64_t>(times[count - 1]) != expected + interval * (count - 1)) return false;
  for (uint32_t i = 0; i < count; ++i, expected += interval) different |= static_cast<uint64_t>(times[i]) ^ expected;
  return different == 0;
}

// Beside the limits of the steps of a grid, how many of some regular times are at most the limit: by counting, without
// looking at any of them.
class RegularWalk {
 public:
  // Whether the times are such, and all numbers small enough to be subtracted. Of the first step's limits the least and
  // the greatest.
  static bool Suits(const int64_t* times, uint32_t count, int64_t least, int64_t greatest, int64_t step_ms) {
    constexpr int64_t kFar = int64_t{1} << 60;
    if (count < 2 || times[0] < -kFar || times[count - 1] > kFar || step_ms < 0 || step_ms > kFar) return false;
    return least > -kFar && greatest < kFar && IsRegular(times, count);
  }
  // REQUIRES: Suits(). `limit`: of the first step.
  RegularWalk(const int64_t* times, uint32_t count, int64_t limit, int64_t step_ms);

  // Writes the counts of the next `steps` steps.
  void Count(uint32_t steps, uint32_t* out);

 private:
  void Move() {
    rest_ += step_rest_;
    const bool carry = rest_ >= interval_;
    rest_ -= carry ? interval_ : 0;
    whole_ += step_whole_ + carry;
  }

  const int64_t interval_, step_whole_, step_rest_, end_;
  int64_t whole_,
      rest_;  // the limit lies `rest_` after time number `whole_`, if times went on on both sides, from 1 on
};

}  // namespace gauntlet::promql
