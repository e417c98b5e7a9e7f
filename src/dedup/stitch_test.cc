#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "dedup/merger.h"
#include "dedup/testing/series_text.h"
#include "dedup/testing/simulated_counter.h"
#include "model/stale.h"

namespace gauntlet::dedup {
namespace {

Samples Merge(const std::vector<Samples>& replicas, std::string_view function = "") {
  Samples out;
  ReplicaMerger(Algorithm::kStitch, function).Merge(replicas, &out);
  return out;
}

Points Merge(const std::vector<Points>& replicas, std::string_view function = "") {
  std::vector<Samples> samples;
  for (const auto& points : replicas) samples.push_back(MakeSamples(points));
  return ToPoints(Merge(samples, function));
}

// Values v, v + step, .. at from, from + interval, .. up to `to`.
Points Ramp(int64_t from, int64_t to, int64_t interval, double v, double step = 1) {
  Points points;
  for (int64_t t = from; t <= to; t += interval, v += step) points.push_back({t, v});
  return points;
}

Points Join(std::initializer_list<Points> parts) {
  Points all;
  for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

TEST(Stitch, OneReplicaPassesUnaltered) {
  Points odd = {{0, StaleNaN()}, {10, 1}, {20, 5}, {21, 3}, {90, StaleNaN()}, {100, 4}};
  auto out = Merge({MakeSamples(odd)});
  ASSERT_EQ(out.size(), odd.size());
  for (size_t i = 0; i < odd.size(); ++i) {
    EXPECT_EQ(out.times_ms[i], odd[i].first);
    EXPECT_EQ(std::bit_cast<uint64_t>(out.values[i]), std::bit_cast<uint64_t>(odd[i].second));
  }
}

TEST(Stitch, HealthyReplicasGiveTheFirstOne) {
  EXPECT_EQ(Merge({Ramp(0, 3000, 15, 0), Ramp(4, 3000, 15, 0)}), Ramp(0, 3000, 15, 0));
  EXPECT_EQ(Merge({Ramp(4, 3000, 15, 0), Ramp(0, 3000, 15, 0)}), Ramp(0, 3000, 15, 0)) << "it has one sample more";
}

TEST(Stitch, AGapIsFilledAndTheFirstReturnsWhenItIsRegular) {
  Points a = Join({Ramp(-600, 300, 15, -40), Ramp(450, 900, 15, 30)});
  Points b = Ramp(5, 890, 15, 0);
  EXPECT_EQ(Merge({a, b}), Join({Ramp(-600, 300, 15, -40), Ramp(320, 500, 15, 21), Ramp(510, 900, 15, 34)}));
  EXPECT_EQ(Merge({Points{}, b, Points{}, a}), Merge({a, b}));
}

TEST(Stitch, AReplicaThatMissesEverySecondScrapeIsLeftForGood) {
  Points flaky = Join({Ramp(0, 600, 15, 0), Ramp(630, 1800, 30, 42, 2)});
  Points good = Ramp(606, 1800, 15, 40);
  EXPECT_EQ(Merge({Join({Ramp(-1500, -15, 15, 0), flaky}), good}),
            Join({Ramp(-1500, -15, 15, 0), Ramp(0, 600, 15, 0), Ramp(621, 1800, 15, 41), {{1800, 120}}}));
}

TEST(Stitch, AStaleMarkerCountsOnlyWhereNoReplicaGoesOn) {
  Points a = Join({Ramp(0, 300, 15, 0), {{315, StaleNaN()}}, Ramp(330, 600, 15, 22)});
  Points b = Ramp(7, 600, 15, 0);
  Points merged = Merge({Join({Ramp(-300, -15, 15, 0), a}), b});
  EXPECT_TRUE(std::ranges::none_of(merged, [](const auto& p) { return IsStaleNaN(p.second); }));
  // Both see the target go, then come back.
  a = Join({Ramp(0, 300, 15, 0), {{315, StaleNaN()}}, Ramp(600, 900, 15, 0)});
  b = Join({Ramp(3, 303, 15, 0), {{318, StaleNaN()}}, Ramp(603, 900, 15, 0)});
  merged = Merge({a, b});
  ASSERT_EQ(std::ranges::count_if(merged, [](const auto& p) { return IsStaleNaN(p.second); }), 1);
  EXPECT_EQ(merged[21].first, 315);
  EXPECT_EQ(merged[22].first, 600);
  // The end of the series, seen by one only.
  a = Ramp(0, 300, 15, 0);
  b = Join({Ramp(7, 307, 15, 0), {{322, StaleNaN()}}});
  merged = Merge({a, b});
  EXPECT_EQ(merged.back().first, 322);
  EXPECT_TRUE(IsStaleNaN(merged.back().second));
  // And the beginning of a block after the end of a series.
  merged = Merge({Points{{5, StaleNaN()}}, Points{{8, StaleNaN()}}});
  ASSERT_EQ(merged.size(), 1u);
  EXPECT_EQ(merged[0].first, 5);
}

TEST(Stitch, ACounterThatLagsIsEnteredWhereItHasCaughtUp) {
  // b's clock is late: it shows at t what a showed at t - 12.
  Points a = Ramp(0, 300, 15, 100, 30);  // 700 at 300
  Points b = Ramp(9, 900, 15, 94, 30);   // 694 at 309, 724 at 324
  Points longer = Join({Ramp(-900, -15, 15, 0, 0.5), a});
  auto merged = Merge({longer, b});
  for (size_t i = 1; i < merged.size(); ++i) ASSERT_GE(merged[i].second, merged[i - 1].second) << merged[i].first;
  EXPECT_EQ(merged[81], (std::pair<int64_t, double>(324, 724)));
}

TEST(Stitch, CountersOfDifferentThingsAreRaisedForCounterFunctionsOnly) {
  Points a = Join({Ramp(0, 300, 15, 1e6, 5), Ramp(600, 900, 15, 1000200, 5)});
  Points b = Ramp(5, 900, 15, 10, 2);
  Points both = Join({Ramp(-900, -15, 15, 9e5, 5), a});
  auto raised = Merge({both, b}, "rate");
  for (size_t i = 1; i < raised.size(); ++i) ASSERT_GE(raised[i].second, raised[i - 1].second) << raised[i].first;
  EXPECT_LT(raised.back().second - raised.front().second, 1e5 + 1000);
  auto raw = Merge({both, b});
  EXPECT_TRUE(std::ranges::any_of(raw, [](const auto& p) { return p.second < 1000; }));
}

TEST(Stitch, ARaisedCounterShowsItsOwnReset) {
  Points a = Ramp(-900, 300, 15, 1e6, 5);
  Points b = Join({Ramp(5, 600, 15, 10, 2), Ramp(620, 900, 15, 1, 2)});
  auto merged = Merge({a, b}, "increase");
  EXPECT_EQ(merged.back(), b.back());
  int resets = 0;
  for (size_t i = 1; i < merged.size(); ++i) resets += merged[i].second < merged[i - 1].second;
  EXPECT_EQ(resets, 1);
}

TEST(Stitch, GaugesPassThroughSwitches) {
  auto gauge = [](int64_t from, int64_t to, double base) {
    Points points = Ramp(from, to, 15, 0);
    for (size_t i = 0; i < points.size(); ++i) points[i].second = base + (i % 2 ? 5 : -5);
    return points;
  };
  Points a = gauge(-900, 300, 100), b = gauge(5, 600, 50);
  EXPECT_EQ(Merge({a, b}), Join({a, Points(b.begin() + 21, b.end())}));
}

TEST(Stitch, ALongerIntervalIsNotAGap) {
  Points a = Join({Ramp(0, 15000, 15, 0), Ramp(15060, 60000, 60, 0)});
  Points b = Join({Ramp(7, 15000, 15, 0), Ramp(15097, 60000, 60, 0)});
  auto merged = Merge({a, b});
  EXPECT_LT(merged.size(), a.size() + a.size() / 20);
}

TEST(Stitch, HistogramsLoseTheirHintAtASwitch) {
  auto make = [](int64_t from, int64_t to, double count) {
    Samples s;
    for (int64_t t = from; t <= to; t += 15) {
      Histogram h;
      h.reset_hint = ResetHint::kNotReset;
      h.count = count++;
      s.histograms.push_back({static_cast<uint32_t>(s.times_ms.size()), h});
      s.times_ms.push_back(t);
      s.values.push_back(0);
    }
    return s;
  };
  auto merged = Merge({make(0, 300, 5), make(4, 200, 5), make(304, 450, 25)});
  ASSERT_EQ(merged.histograms.size(), merged.size());
  size_t unknown = 0;
  for (size_t i = 0; i < merged.size(); ++i) {
    EXPECT_EQ(merged.histograms[i].position, i);
    unknown += merged.histograms[i].histogram.reset_hint == ResetHint::kUnknown;
    if (i > 0) EXPECT_GE(merged.histograms[i].histogram.count, merged.histograms[i - 1].histogram.count);
  }
  EXPECT_EQ(unknown, 1u);
  EXPECT_EQ(merged.times_ms.back(), 439);
}

TEST(Stitch, ReplicasThatCannotHelpAreNotRead) {
  class Source : public ReplicaSource {
   public:
    Status Read(size_t replica, Samples* out) override {
      ++reads;
      auto samples = MakeSamples(replica == 0 ? Ramp(0, 3000, 15, 0) : Ramp(4, 3000, 15, 0));
      AppendRange(samples, 0, samples.size(), out);
      return replica == 2 ? Status(Code::kCorrupt, "chunk") : Status();
    }
    int reads = 0;
  } source;
  ReplicaMerger merger(Algorithm::kStitch, "");
  Samples out;
  std::vector<ReplicaInfo> infos = {{0, 3000, 201}, {0, 3000, 200}, {0, 3000, 200}};
  ASSERT_TRUE(merger.Merge(infos, source, &out).ok());
  EXPECT_EQ(source.reads, 1);
  EXPECT_EQ(out.size(), 201u);
  infos[1].maxt_ms = infos[2].maxt_ms = 3100;
  EXPECT_EQ(merger.Merge(infos, source, &out).code(), Code::kCorrupt);
}

// ---- properties over simulated counters

struct Simulation {
  SimulatedCounter counter;
  std::vector<Samples> replicas;
  SimulatedCounter::Options options;
};

Simulation Simulate(uint64_t seed) {
  std::mt19937_64 random(seed);
  SimulatedCounter::Options options;
  options.interval_ms = std::vector<int64_t>{1000, 15000, 60000}[random() % 3];
  options.duration_ms = options.interval_ms * 240;
  options.restarts = static_cast<int>(random() % 3);
  Simulation s{SimulatedCounter(seed, options), {}, options};
  for (size_t i = 0, n = 2 + random() % 2; i < n; ++i) {
    SimulatedCounter::Faults faults;
    faults.outages = static_cast<int>(random() % 4);
    faults.missed = random() % 4 == 0 ? 0.2 : 0.01;
    faults.failed = random() % 4 == 0 ? 0.05 : 0.005;
    faults.jitter_ms = options.interval_ms / 100;
    faults.latency_max_ms = random() % 2 ? options.interval_ms / 30 : options.interval_ms * 7 / 10;
    s.replicas.push_back(s.counter.Scrape(random(), faults));
  }
  return s;
}

class StitchProperty : public testing::TestWithParam<const char*> {
 protected:
  static constexpr int kRounds = 1000;
};

TEST_P(StitchProperty, GivesOnlyWhatAReplicaHas) {
  for (int seed = 0; seed < kRounds; ++seed) {
    auto s = Simulate(static_cast<uint64_t>(seed));
    auto merged = Merge(s.replicas, GetParam());
    for (size_t i = 0; i < merged.size(); ++i) {
      if (i > 0) ASSERT_GT(merged.times_ms[i], merged.times_ms[i - 1]);
      bool found = false;
      for (const auto& replica : s.replicas) {
        auto at = std::ranges::lower_bound(replica.times_ms, merged.times_ms[i]) - replica.times_ms.begin();
        auto k = static_cast<size_t>(at);
        found |= k < replica.size() && replica.times_ms[k] == merged.times_ms[i] &&
                 std::bit_cast<uint64_t>(replica.values[k]) == std::bit_cast<uint64_t>(merged.values[i]);
      }
      ASSERT_TRUE(found) << "seed " << seed << " time " << merged.times_ms[i];
    }
  }
}

TEST_P(StitchProperty, LeavesNoGapThatAReplicaCouldFill) {
  for (int seed = 0; seed < kRounds; ++seed) {
    auto s = Simulate(static_cast<uint64_t>(seed));
    auto merged = Merge(s.replicas, GetParam());
    // The ends of what any replica has count as given.
    int64_t first = INT64_MAX, last = 0;
    for (const auto& replica : s.replicas) {
      for (size_t k = 0; k < replica.size(); ++k) {
        if (IsStaleNaN(replica.values[k])) continue;
        first = std::min(first, replica.times_ms[k]);
        last = std::max(last, replica.times_ms[k]);
      }
    }
    std::vector<int64_t> times = {first - s.options.interval_ms / 2};
    std::vector<double> values = {-1};
    for (size_t i = 0; i < merged.size(); ++i) {
      if (IsStaleNaN(merged.values[i])) continue;
      times.push_back(merged.times_ms[i]);
      values.push_back(merged.values[i]);
    }
    times.push_back(last + s.options.interval_ms / 2);
    int64_t half = s.options.interval_ms * 55 / 100;
    for (size_t i = 1; i < times.size(); ++i) {
      if (times[i] - times[i - 1] <= 2 * s.options.interval_ms + s.options.interval_ms / 10) continue;
      for (const auto& replica : s.replicas) {
        for (size_t k = 0; k < replica.size(); ++k) {
          if (IsStaleNaN(replica.values[k])) continue;
          // A counter that is behind for less than an interval is passed over.
          bool behind =
              replica.times_ms[k] <= times[i - 1] + s.options.interval_ms && replica.values[k] < values[i - 1];
          if (behind) continue;
          ASSERT_FALSE(replica.times_ms[k] > times[i - 1] + half && replica.times_ms[k] < times[i] - half)
              << "seed " << seed << ": " << replica.times_ms[k] << " between " << times[i - 1] << " and " << times[i];
        }
      }
    }
  }
}

TEST_P(StitchProperty, ShowsARestartOnceAndNothingElseAsReset) {
  int restarts = 0, shown = 0;
  for (int seed = 0; seed < kRounds; ++seed) {
    auto s = Simulate(static_cast<uint64_t>(seed));
    auto merged = Merge(s.replicas, GetParam());
    std::vector<bool> seen(s.counter.restarts().size());
    restarts += static_cast<int>(seen.size());
    int64_t last_t = 0;
    double last = -1;
    for (size_t i = 0; i < merged.size(); ++i) {
      if (IsStaleNaN(merged.values[i])) continue;
      if (merged.values[i] < last) {
        bool explained = false;
        for (size_t r = 0; r < seen.size() && !explained; ++r) {
          bool near = s.counter.stops()[r] <= merged.times_ms[i] + s.options.interval_ms &&
                      s.counter.restarts()[r] >= last_t - s.options.interval_ms;
          if (near && !seen[r]) explained = seen[r] = true;
        }
        ASSERT_TRUE(explained) << "seed " << seed << ": from " << last << " at " << last_t << " to " << merged.values[i]
                               << " at " << merged.times_ms[i];
        ++shown;
      }
      last = merged.values[i];
      last_t = merged.times_ms[i];
    }
  }
  EXPECT_GT(shown, restarts * 9 / 10);  // a few hide in outages of all replicas
}

TEST_P(StitchProperty, IncreaseIsWithinAScrapeOfTheTruth) {
  for (int seed = 0; seed < kRounds; ++seed) {
    auto s = Simulate(static_cast<uint64_t>(seed));
    auto merged = Merge(s.replicas, GetParam());
    Points points = ToPoints(merged);
    std::erase_if(points, [](const auto& p) { return IsStaleNaN(p.second); });
    if (points.size() < 2) continue;
    double increase = 0, unseen = 0;
    for (size_t i = 1; i < points.size(); ++i) {
      double step = points[i].second - points[i - 1].second;
      increase += step < 0 ? points[i].second : step;
      // What was counted between the last sample and a stop nobody can know; a restart that has overtaken neither.
      for (size_t r = 0; r < s.counter.stops().size(); ++r) {
        if (s.counter.restarts()[r] <= points[i - 1].first || s.counter.stops()[r] > points[i].first) continue;
        unseen += s.counter.Counted(points[i - 1].first, points[i].first) + 1;
      }
    }
    double truth = s.counter.Counted(points.front().first, points.back().first);
    double scrape = s.options.rate_max * static_cast<double>(s.options.interval_ms) / 1000 + 2;
    EXPECT_LE(increase, truth + scrape) << "seed " << seed;
    EXPECT_GE(increase, truth - scrape - unseen) << "seed " << seed;
  }
}

INSTANTIATE_TEST_SUITE_P(Functions, StitchProperty, testing::Values("", "rate"),
                         [](const auto& test) { return *test.param ? "Rate" : "Selector"; });

}  // namespace
}  // namespace gauntlet::dedup
