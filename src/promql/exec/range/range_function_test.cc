#include "promql/exec/range/range_function.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <string_view>
#include <vector>

#include "model/kahan_sum.h"
#include "model/stale.h"
#include "promql/exec/rows/testing/empty_query.h"

namespace gauntlet::promql {
namespace {

using ::testing::ElementsAre;

constexpr double kInfinite = std::numeric_limits<double>::infinity();
constexpr double kNotANumber = std::numeric_limits<double>::quiet_NaN();

// A range function over samples, with windows of `range_ms` at each step.
std::vector<double> RunRange(const char* name, Samples samples, StepGrid grid, int64_t range_ms,
                             std::vector<double> args = {}) {
  WindowSpec spec{.grid = grid, .range_ms = range_ms};
  RangeCall call;
  call.function = name;
  call.range_ms = range_ms;
  call.range_seconds = static_cast<double>(range_ms) / 1000;
  for (double arg : args) call.args.push_back(std::vector<double>(grid.steps, arg));
  WorkerScratch scratch;
  SeriesWindows windows;
  Column out(grid.steps);
  if (MakeWindows(spec, LabelsView(), &samples, &scratch, &windows)) {
    EXPECT_TRUE(MakeRangeFunction(name)->Run(call, windows, &out, &scratch).ok());
  }
  std::vector<double> values;
  for (uint32_t i = 0; i < grid.steps; ++i) values.push_back(out.Has(i) ? out.values()[i] : -12345);
  return values;
}

// How much is done between two looks at the cancel, not how long that takes.
TEST(Windows, TheEndOfTheQueryIsSeenWithinOneSeries) {
  EmptyQuery query;
  const WindowSpec spec{.grid = {0, 1'000, 1'000'000}, .range_ms = 5'000};
  // The steps that are seen when the query ends once its windows are found.
  auto visited = [&](bool ends) {
    Samples samples;
    for (int64_t t = 0; t < 1'000'000; ++t) {
      samples.times_ms.push_back(t * 1'000);
      samples.values.push_back(1);
    }
    SeriesWindows windows;
    uint32_t steps = 0;
    if (!MakeWindows(spec, LabelsView(), &samples, &query.scratch, &windows)) return steps;
    if (ends) query.source.Stop();
    ForEachFloatWindow(windows, [&](uint32_t, uint32_t, uint32_t) { ++steps; });
    return steps;
  };
  EXPECT_EQ(visited(false), 1'000'000u);
  EXPECT_TRUE(query.scratch.CheckCancelBehind(1'000'000).ok());
  EXPECT_EQ(visited(true), kPollSteps);
  EXPECT_EQ(visited(true), 0u);
  EXPECT_EQ(query.scratch.lo.size(), 1'000'000u) << "from before";
  EXPECT_EQ(query.scratch.CheckCancelBehind(1'000'000).code(), Code::kCancelled);
}

TEST(Windows, AreOpenOnTheLeftAndSkipStaleMarkers) {
  Samples samples;
  samples.times_ms = {10, 20, 30, 40};
  samples.values = {1, 2, StaleNaN(), 4};
  EXPECT_THAT(RunRange("count_over_time", samples, {20, 10, 4}, 20), ElementsAre(2, 1, 1, 1));
  EXPECT_THAT(RunRange("last_over_time", samples, {20, 10, 4}, 20), ElementsAre(2, 2, 4, 4));
}

// Values as they come: noise, whole numbers, a counter, constant runs, a gauge far from zero; some not finite or huge.
double ValueOfKind(int kind, int i, std::mt19937_64& random) {
  const double unit = static_cast<double>(random() % 1000003) / 1000003;
  switch (kind) {
    case 0:
      return unit - 0.5;
    case 1:
      return static_cast<double>(random() % 5);
    case 2:
      return i * 3.25 + unit;
    case 3:
      return i / 90;
    case 4:
      return 1e9 + unit;
    default:
      if (random() % 80 == 0) return random() % 2 == 0 ? kNotANumber : random() % 2 == 0 ? -kInfinite : 1e305;
      return unit * 1e6;
  }
}

// Samples at a regular interval are counted without a look at their times; the same with one of them moved.
TEST(Windows, HoldWhatLiesInThem) {
  std::mt19937_64 random(7);
  auto below = [&random](uint64_t n) { return static_cast<int64_t>(random() % n); };
  for (int round = 0; round < 400; ++round) {
    const int64_t interval = 1 + below(30), first = below(2000) - 1000, range = 1 + below(200);
    Samples samples;
    const int64_t count = 1 + below(60);
    for (int64_t i = 0; i < count; ++i) {
      samples.times_ms.push_back(first + i * interval);
      samples.values.push_back(static_cast<double>(i));
    }
    if (round % 4 == 3 && interval > 1) samples.times_ms.back() += 1;
    const StepGrid grid{below(3000) - 1500, 1 + below(100), static_cast<uint32_t>(1 + below(80))};
    std::vector<double> expected, last;
    for (uint32_t step = 0; step < grid.steps; ++step) {
      double inside = 0, newest = -12345;
      for (size_t i = 0; i < samples.size(); ++i) {
        const int64_t t = samples.times_ms[i];
        if (t <= grid.time_ms(step) - range || t > grid.time_ms(step)) continue;
        ++inside;
        newest = samples.values[i];
      }
      expected.push_back(inside > 0 ? inside : -12345);
      last.push_back(newest);
    }
    ASSERT_EQ(RunRange("count_over_time", samples, grid, range), expected) << round;
    ASSERT_EQ(RunRange("last_over_time", samples, grid, range), last) << round;
    ASSERT_EQ(RunRange("max_over_time", samples, grid, range), last) << round;
  }
}

// Long windows are slid over; that must give what short ones give by looking at every sample again.
TEST(RangeFunctions, SlidingAgreesWithLookingAgain) {
  std::mt19937_64 random(11);
  for (int round = 0; round < 30; ++round) {
    Samples samples;
    int64_t t = 0;
    for (int i = 0; i < 400; ++i) {
      t += 1 + static_cast<int64_t>(random() % 3) + (random() % 50 == 0 ? 200 : 0);
      samples.times_ms.push_back(t);
      double v = static_cast<double>(random() % 64) - 30;
      if (round % 3 == 1 && random() % 30 == 0) v = kNotANumber;
      if (round % 3 == 2 && random() % 60 == 0) v = random() % 2 == 0 ? kInfinite : 1e308;
      samples.values.push_back(v);
    }
    StepGrid all{0, 5, static_cast<uint32_t>(t / 5 + 20)};
    for (const char* name : {"sum_over_time", "avg_over_time", "min_over_time", "max_over_time", "changes", "resets",
                             "count_over_time", "rate", "increase", "delta", "irate", "last_over_time"}) {
      std::vector<double> sliding = RunRange(name, samples, all, 150);
      for (uint32_t i = 0; i < all.steps; ++i) {
        // One step alone: its window is short beside the samples, and is looked at as a whole.
        double alone = RunRange(name, samples, {all.time_ms(i), 1, 1}, 150)[0];
        ASSERT_TRUE(sliding[i] == alone || (std::isnan(sliding[i]) && std::isnan(alone)))
            << name << " at step " << i << ": " << sliding[i] << " and " << alone;
      }
    }
  }
}

// As upstream adds them, bit for bit, wherever windows are short.
TEST(RangeFunctions, ShortWindowsAreSummedInOrder) {
  std::mt19937_64 rng(8);
  for (int round = 0; round < 200; ++round) {
    Samples samples;
    int64_t t = 0;
    for (int i = 0; i < 200; ++i) {
      samples.times_ms.push_back(t += round % 2 == 0 ? 10 : 1 + static_cast<int64_t>(rng() % 20));
      const double size = std::pow(10.0, static_cast<double>(rng() % 12));
      const double rare[] = {0.0, -0.0, kNotANumber, kInfinite, 1e305, -1e305};
      const bool plain = round % 4 < 2 || rng() % 50 != 0;
      samples.values.push_back(plain ? (static_cast<double>(rng() % 2000) - 1000) / 997 * size : rare[rng() % 6]);
      if (round % 16 == 0) samples.values.back() = -0.0;
    }
    const StepGrid grid{15, 7, 250};
    const int64_t range_ms = 5 + static_cast<int64_t>(rng() % 60);
    const std::vector<double> sums = RunRange("sum_over_time", samples, grid, range_ms);
    const std::vector<double> means = RunRange("avg_over_time", samples, grid, range_ms);
    for (uint32_t step = 0; step < grid.steps; ++step) {
      const int64_t end = grid.time_ms(step);
      std::vector<double> window;
      for (size_t i = 0; i < samples.size(); ++i) {
        if (samples.times_ms[i] > end - range_ms && samples.times_ms[i] <= end) window.push_back(samples.values[i]);
      }
      const bool finite = std::all_of(window.begin(), window.end(), [](double v) { return std::fabs(v) < 1e300; });
      if (window.empty() || window.size() > 8 || !finite) continue;
      double sum = 0, c = 0, mean_sum = window[0], mean_c = 0;
      for (double v : window) KahanAdd(v, sum, c);
      for (size_t i = 1; i < window.size(); ++i) KahanAdd(window[i], mean_sum, mean_c);
      const auto n = static_cast<double>(window.size());
      ASSERT_EQ(std::bit_cast<uint64_t>(sums[step]), std::bit_cast<uint64_t>(sum + c));
      ASSERT_EQ(std::bit_cast<uint64_t>(means[step]), std::bit_cast<uint64_t>(mean_sum / n + mean_c / n));
    }
  }
}

TEST(RangeFunctions, SlidingIsWithinRoundingOfLookingAgain) {
  struct {
    const char* name;
    std::vector<double> args;
  } const functions[] = {{"stddev_over_time", {}},
                         {"stdvar_over_time", {}},
                         {"deriv", {}},
                         {"predict_linear", {0.5}},
                         {"rate", {}},
                         {"sum_over_time", {}},
                         {"double_exponential_smoothing", {0.3, 0.3}},
                         {"double_exponential_smoothing", {0.9, 0.6}},
                         {"double_exponential_smoothing", {0.01, 0.2}},
                         {"quantile_over_time", {0.3}},
                         {"quantile_over_time", {0}},
                         {"quantile_over_time", {1}},
                         {"quantile_over_time", {-1}}};
  std::mt19937_64 random(12);
  for (int round = 0; round < 18; ++round) {
    Samples samples;
    int64_t t = 0;
    for (int i = 0; i < 1500; ++i) {
      t += 1 + static_cast<int64_t>(random() % 3) + (random() % 400 == 0 ? 2000 : 0);
      samples.times_ms.push_back(t);
      samples.values.push_back(ValueOfKind(round % 6, i, random));
    }
    StepGrid all{0, 25, static_cast<uint32_t>(t / 25 + 20)};
    for (const auto& [name, args] : functions) {
      std::vector<double> sliding = RunRange(name, samples, all, 900, args);
      for (uint32_t i = 0; i < all.steps; ++i) {
        const double alone = RunRange(name, samples, {all.time_ms(i), 1, 1}, 900, args)[0];
        double size = 0;
        for (size_t s = 0; s < samples.size(); ++s) {
          const int64_t before_end = all.time_ms(i) - samples.times_ms[s];
          const bool plain = std::fabs(samples.values[s]) < 1e300;
          if (plain && before_end >= 0 && before_end < 900) size += std::fabs(samples.values[s]);
        }
        ASSERT_TRUE(sliding[i] == alone || std::isnan(sliding[i]) == std::isnan(alone)) << name;
        if (std::isnan(alone) || sliding[i] == alone) continue;
        ASSERT_TRUE(std::isfinite(alone) && std::isfinite(sliding[i])) << name << " at step " << i;
        const double scale = std::string_view(name) == "stdvar_over_time" ? size * size : size;
        ASSERT_LE(std::fabs(sliding[i] - alone), 1e-12 * scale)
            << name << " at step " << i << " of round " << round << ": " << sliding[i] << " and " << alone;
      }
    }
  }
}

TEST(RangeFunctions, SmoothingForgetsHoweverLargeWhatCameBefore) {
  for (double rest : {0.0, 1e-6, 1e6}) {
    Samples samples;
    for (int i = 0; i < 4000; ++i) {
      samples.times_ms.push_back(i);
      samples.values.push_back(i == 200 ? 1e250 : i == 150 ? -1e30 : i < 150 ? 1 : rest * (1 + i % 3));
    }
    const StepGrid all{0, 5, 800};
    const std::vector<double> many = RunRange("double_exponential_smoothing", samples, all, 1500, {0.5, 0.4});
    for (uint32_t i = 0; i < all.steps; ++i) {
      const double alone =
          RunRange("double_exponential_smoothing", samples, {all.time_ms(i), 1, 1}, 1500, {0.5, 0.4})[0];
      if (all.time_ms(i) > 1700) {
        ASSERT_NEAR(many[i], alone, 1e-12 * 1500 * rest) << rest << " at step " << i;
      }
    }
  }
}

TEST(RangeFunctions, SlidingQuantilesAreExact) {
  std::mt19937_64 random(13);
  for (int kind = 0; kind < 6; ++kind) {
    Samples samples;
    for (int i = 0; i < 3000; ++i) {
      samples.times_ms.push_back(i);
      samples.values.push_back(ValueOfKind(kind, i, random));
    }
    for (double q : {0.0, 0.01, 0.5, 0.95, 1.0}) {
      std::vector<double> sliding = RunRange("quantile_over_time", samples, {100, 20, 150}, 700, {q});
      for (uint32_t i = 0; i < 150; ++i) {
        const double alone = RunRange("quantile_over_time", samples, {100 + 20 * i, 1, 1}, 700, {q})[0];
        ASSERT_TRUE(sliding[i] == alone || (std::isnan(sliding[i]) && std::isnan(alone))) << kind << " " << q;
      }
    }
  }
}

TEST(RangeFunctions, CompensationSurvivesSliding) {
  Samples samples;
  for (int i = 0; i < 300; ++i) {
    samples.times_ms.push_back(i);
    samples.values.push_back(i % 3 == 0 ? 1e100 : i % 3 == 1 ? 1 : -1e100);
  }
  std::vector<double> sums = RunRange("sum_over_time", samples, {89, 3, 60}, 90);
  for (double sum : sums) EXPECT_EQ(sum, 30);
}

}  // namespace
}  // namespace gauntlet::promql
