// The cases of upstream's iterator tests. Its test iterator can seek backwards, the real ones cannot: where that makes
// a difference, the real one's answer is expected here. Real replicas and the real querier's answers:
// issue2401_test.cc.

#include "dedup/penalty.h"

#include <gtest/gtest.h>

#include <bit>
#include <random>

#include "dedup/merger.h"
#include "dedup/testing/series_text.h"
#include "model/stale.h"

namespace gauntlet::dedup {
namespace {

Points Merge(const std::vector<Points>& replicas, bool counter = false) {
  std::vector<Samples> samples;
  for (const auto& points : replicas) samples.push_back(MakeSamples(points));
  Samples out;
  ReplicaMerger(Algorithm::kPenalty, counter ? "rate" : "").Merge(samples, &out);
  return ToPoints(out);
}

TEST(Penalty, FirstReplicaIsPreferred) {
  EXPECT_EQ(Merge({{{10000, 10}, {20000, 11}, {30000, 12}, {40000, 13}},
                   {{10000, 20}, {20000, 21}, {30000, 22}, {40000, 23}}}),
            (Points{{10000, 10}, {20000, 11}, {30000, 12}, {40000, 13}}));
}

TEST(Penalty, TheOneThatBeginsEarlierIsFollowed) {
  EXPECT_EQ(Merge({{{10100, 1}, {20100, 1}, {30100, 1}, {40100, 1}}, {{10000, 2}, {20000, 2}, {30000, 2}, {40000, 2}}}),
            (Points{{10000, 2}, {20000, 2}, {30000, 2}, {40000, 2}}));
}

TEST(Penalty, OneMissingSampleDoesNotSwitch) {
  EXPECT_EQ(Merge({{{10000, 1}, {20000, 1}, {40000, 1}}, {{10000, 2}, {20000, 2}, {30000, 2}, {40000, 2}}}),
            (Points{{10000, 1}, {20000, 1}, {40000, 1}}));
  EXPECT_EQ(Merge({{{10000, 1}, {20000, 1}, {40000, 1}}, {{15000, 2}, {25000, 2}, {35000, 2}, {45000, 2}}}),
            (Points{{10000, 1}, {20000, 1}, {40000, 1}}));
}

TEST(Penalty, ALongerGapSwitchesAndStays) {
  EXPECT_EQ(Merge({{{10000, 1}, {20000, 1}, {30000, 1}, {60000, 1}, {70000, 1}},
                   {{10100, 2}, {20100, 2}, {30100, 2}, {40100, 2}, {50100, 2}, {60100, 2}}}),
            (Points{{10000, 1}, {20000, 1}, {30000, 1}, {50100, 2}, {60100, 2}}));
}

TEST(Penalty, ManyReplicasAreFoldedFromTheLeft) {
  EXPECT_EQ(
      Merge({{{10000, 1}, {20000, 2}}, {{60000, 3}, {70000, 4}}, {{200000, 5}, {210000, 6}}, {{10000, 1}, {20000, 2}}}),
      (Points{{10000, 1}, {20000, 2}, {60000, 3}, {70000, 4}, {200000, 5}, {210000, 6}}));
  EXPECT_EQ(Merge({{{10000, 1}, {20000, 2}}, {{60000, 3}, {70000, 4}}}),
            (Points{{10000, 1}, {20000, 2}, {60000, 3}, {70000, 4}}));
}

const Points kHiccup = {{10000, 8},  {20000, 9},  {50001, 10}, {60000, 11},
                        {70000, 12}, {80000, 13}, {90000, 14}, {100000, 15}};
const Points kLater = {{10001, 8}, {45001, 8.5}, {55001, 9.5}, {65001, 10.5}};

TEST(Penalty, CountersAreRaisedAtASwitch) {
  EXPECT_EQ(Merge({kHiccup, kLater}, true),
            (Points{{10000, 8}, {20000, 9}, {45001, 9}, {55001, 10}, {65001, 11}, {100000, 15}}));
}

TEST(Penalty, OtherValuesAreNot) {
  EXPECT_EQ(Merge({kHiccup, kLater}),
            (Points{{10000, 8}, {20000, 9}, {45001, 8.5}, {55001, 9.5}, {65001, 10.5}, {100000, 15}}));
}

// Two are merged run by run; with an empty third one they are walked sample by sample.
TEST(Penalty, RunsAreWhatSingleStepsGive) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 2000; ++round) {
    std::vector<Points> replicas(2);
    for (Points& points : replicas) {
      int64_t t = static_cast<int64_t>(random() % 20'000), interval = round % 3 == 0 ? 3000 : 15'000;
      for (int i = 0; i < 60; ++i) {
        t += interval + static_cast<int64_t>(random() % 3 == 0 ? random() % 200 : 0);
        if (random() % 12 == 0) t += interval * static_cast<int64_t>(random() % 5);
        points.push_back({t, random() % 15 == 0 ? StaleNaN() : static_cast<double>(random() % 50)});
      }
    }
    for (bool counter : {false, true}) {
      Points runs = Merge(replicas, counter), steps = Merge({replicas[0], replicas[1], {}}, counter);
      ASSERT_EQ(runs.size(), steps.size()) << "round " << round;
      for (size_t i = 0; i < runs.size(); ++i) {
        ASSERT_EQ(runs[i].first, steps[i].first) << "round " << round;
        ASSERT_EQ(std::bit_cast<uint64_t>(runs[i].second), std::bit_cast<uint64_t>(steps[i].second))
            << "round " << round;
      }
    }
  }
}

TEST(Penalty, HistogramsAndFloatsMix) {
  Histogram h;
  h.count = 5;
  Samples histograms;
  for (uint32_t i = 0; i < 4; ++i) {
    histograms.times_ms.push_back(10000 * (i + 1));
    histograms.values.push_back(0);
    histograms.histograms.push_back({i, h});
  }
  Samples zero = MakeSamples({{0, 0}});
  for (bool zero_first : {false, true}) {
    const Samples* replicas[] = {zero_first ? &zero : &histograms, zero_first ? &histograms : &zero};
    Samples out;
    MergeWithPenalty(replicas, true, &out);
    EXPECT_EQ(out.times_ms, (std::vector<int64_t>{0, 10000, 20000, 30000, 40000}));
    ASSERT_EQ(out.histograms.size(), 4u);
    EXPECT_EQ(out.histograms[0].position, 1u);
    EXPECT_EQ(out.histograms[3].position, 4u);
  }
}

TEST(Penalty, EmptyReplicasAddNothing) {
  Points one = {{10000, 1}, {20000, 2}};
  EXPECT_EQ(Merge({{}, one, {}}), one);
  EXPECT_EQ(Merge({{}, {}}), Points{});
  EXPECT_EQ(Merge({}), Points{});
}

}  // namespace
}  // namespace gauntlet::dedup
