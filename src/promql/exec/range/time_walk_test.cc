#include "promql/exec/range/time_walk.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace gauntlet::promql {
namespace {

std::vector<int64_t> Every(int64_t first, int64_t interval, uint32_t count) {
  std::vector<int64_t> times(count);
  for (uint32_t i = 0; i < count; ++i) times[i] = first + i * interval;
  return times;
}

void ExpectCounted(const std::vector<int64_t>& times, int64_t limit, int64_t step_ms, uint32_t steps, uint32_t piece) {
  const auto count = static_cast<uint32_t>(times.size());
  ASSERT_TRUE(RegularWalk::Suits(times.data(), count, limit, limit, step_ms));
  RegularWalk walk(times.data(), count, limit, step_ms);
  std::vector<uint32_t> got(steps);
  for (uint32_t at = 0; at < steps; at += piece) walk.Count(std::min(piece, steps - at), got.data() + at);
  for (uint32_t step = 0; step < steps; ++step) {
    const int64_t here = limit + step * step_ms;
    const auto expected = std::upper_bound(times.begin(), times.end(), here) - times.begin();
    ASSERT_EQ(got[step], expected) << "step " << step << " of " << step_ms << " from " << limit;
  }
}

TEST(RegularWalk, CountsTheTimesUpToEachStep) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 2000; ++round) {
    const int64_t interval = 1 + static_cast<int64_t>(random() % (round % 2 == 0 ? 50 : 100'000));
    const auto times = Every(static_cast<int64_t>(random() % 1000) - 500, interval, 2 + random() % 300);
    const int64_t limit =
        times[0] + static_cast<int64_t>(random() % static_cast<uint64_t>(400 * interval)) - 50 * interval;
    const int64_t step_ms = static_cast<int64_t>(random() % static_cast<uint64_t>(6 * interval));
    ExpectCounted(times, limit, step_ms, 1 + random() % 200, 1 + random() % 100);
  }
}

TEST(RegularWalk, CountsWhereNumbersExceedThirtyTwoBits) {
  constexpr int64_t kYear = int64_t{365} * 86'400'000;
  ExpectCounted(Every(0, 1, 100), -20 * kYear, kYear, 40, 40);
  ExpectCounted(Every(0, 40 * kYear, 20), -5, 7 * kYear, 200, 64);
  ExpectCounted(Every(-kYear, 15'000, 1000), 90 * kYear, 1, 100, 100);
  ExpectCounted(Every(0, 15'000, 1000), 0, 0, 50, 50);
}

TEST(RegularWalk, SuitsTimesAtOneIntervalOnly) {
  auto times = Every(1000, 15, 40);
  EXPECT_TRUE(RegularWalk::Suits(times.data(), 40, 0, 0, 10));
  times[17] += 1;
  EXPECT_FALSE(RegularWalk::Suits(times.data(), 40, 0, 0, 10));
  EXPECT_FALSE(RegularWalk::Suits(times.data(), 1, 0, 0, 10));
  times = Every(INT64_MAX - 1000, 10, 40);
  EXPECT_FALSE(RegularWalk::Suits(times.data(), 40, 0, 0, 10));
}

}  // namespace
}  // namespace gauntlet::promql
