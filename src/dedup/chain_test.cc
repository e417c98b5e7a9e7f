#include "dedup/chain.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "dedup/merger.h"
#include "dedup/testing/series_text.h"

namespace gauntlet::dedup {
namespace {

Points Merge(const std::vector<Points>& replicas) {
  std::vector<Samples> samples;
  for (const auto& points : replicas) samples.push_back(MakeSamples(points));
  Samples out;
  ReplicaMerger(Algorithm::kChain, "").Merge(samples, &out);
  return ToPoints(out);
}

TEST(Chain, UnionOfReplicasInStep) {
  Points whole = {{10000, 1}, {20000, 2}, {30000, 3}};
  EXPECT_EQ(Merge({whole, whole}), whole);
  EXPECT_EQ(Merge({{{10000, 1}, {30000, 3}}, whole}), whole);
  EXPECT_EQ(Merge({{{10000, 1}, {30000, 3}}, {{10000, 1}, {20000, 2}}}), whole);
  EXPECT_EQ(Merge({{{20000, 2}, {30000, 3}}, {{10000, 1}, {20000, 2}}}), whole);
  EXPECT_EQ(Merge({{}, {}}), Points{});
}

TEST(Chain, OfTwoInStepTheSecondWins) {  // as the heap of upstream's iterator has it
  EXPECT_EQ(Merge({{{1, 10}, {2, 11}, {3, 12}}, {{1, 20}, {2, 21}, {3, 22}}}), (Points{{1, 20}, {2, 21}, {3, 22}}));
  EXPECT_EQ(Merge({{{1, 10}, {2, 11}, {3, 12}}, {{2, 21}, {3, 22}, {4, 23}}}),
            (Points{{1, 10}, {2, 21}, {3, 22}, {4, 23}}));
}

TEST(Chain, EveryTimeOfAnyReplicaIsThereOnce) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 200; ++round) {
    std::vector<Points> replicas(2 + random() % 4);
    std::set<int64_t> times;
    for (auto& points : replicas) {
      int64_t t = 0;
      for (size_t i = 0, n = random() % 40; i < n; ++i) {
        t += 1 + static_cast<int64_t>(random() % 4);
        points.push_back({t, static_cast<double>(t)});
        times.insert(t);
      }
    }
    Points expected;
    for (int64_t t : times) expected.push_back({t, static_cast<double>(t)});
    EXPECT_EQ(Merge(replicas), expected);
  }
}

// Two have a way of their own; with an empty third one the heap is used.
TEST(Chain, TwoReplicasGiveWhatTheHeapGives) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 2000; ++round) {
    std::vector<Points> replicas(2);
    for (Points& points : replicas) {
      int64_t t = 0;
      for (size_t i = random() % 40; i > 0; --i) points.push_back({t += 1 + random() % 3, random() % 1000});
    }
    ASSERT_EQ(Merge(replicas), Merge({replicas[0], replicas[1], {}})) << "round " << round;
  }
}

TEST(Chain, HistogramsLoseTheirHintWhereTheSourceChanges) {
  auto make = [](std::vector<int64_t> times) {
    Samples s;
    for (int64_t t : times) {
      Histogram h;
      h.reset_hint = ResetHint::kNotReset;
      s.histograms.push_back({static_cast<uint32_t>(s.times_ms.size()), h});
      s.times_ms.push_back(t);
      s.values.push_back(0);
    }
    return s;
  };
  Samples a = make({1, 2, 5, 6}), b = make({3, 4}), out;
  const Samples* replicas[] = {&a, &b};
  ChainReplicas(replicas, &out);
  ASSERT_EQ(out.histograms.size(), 6u);
  for (size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(out.histograms[i].histogram.reset_hint, i % 2 == 0 ? ResetHint::kUnknown : ResetHint::kNotReset) << i;
  }
}

}  // namespace
}  // namespace gauntlet::dedup
