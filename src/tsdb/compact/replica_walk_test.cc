#include "tsdb/compact/replica_walk.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

namespace gauntlet::tsdb {
namespace {

// Samples whose value says which replica they are of.
Samples Replica(double which, const std::vector<int64_t>& times) {
  Samples samples;
  samples.times_ms = times;
  samples.values.assign(times.size(), which);
  return samples;
}

std::vector<int64_t> Every(int64_t begin, int64_t end, int64_t step) {
  std::vector<int64_t> times;
  for (int64_t t = begin; t < end; t += step) times.push_back(t);
  return times;
}

Samples Merge(ReplicaWalk& walk, const std::vector<Samples>& replicas) {
  std::vector<const Samples*> views;
  for (const Samples& replica : replicas) views.push_back(&replica);
  Samples merged;
  walk.Merge(views, &merged);
  return merged;
}

Samples Merge(const std::vector<Samples>& replicas) {
  ReplicaWalk walk;
  return Merge(walk, replicas);
}

TEST(ReplicaWalk, StaysOnOneReplicaWhileItHasSamples) {
  Samples merged = Merge({Replica(1, Every(0, 600, 15)), Replica(2, Every(7, 600, 15))});
  EXPECT_EQ(merged.times_ms, Every(0, 600, 15));
  EXPECT_EQ(merged.values, std::vector<double>(40, 1));
}

TEST(ReplicaWalk, FillsAGapFromTheOtherReplicaAndStaysThere) {
  std::vector<int64_t> first = Every(0, 90, 15);
  for (int64_t t : Every(300, 600, 15)) first.push_back(t);
  Samples merged = Merge({Replica(1, first), Replica(2, Every(3, 600, 15))});
  // 75 is the last of the first one; of the second one 78 was taken with it, 93 is next to where 90 was due.
  std::vector<int64_t> want = Every(0, 90, 15);
  for (int64_t t : Every(93, 600, 15)) want.push_back(t);
  EXPECT_EQ(merged.times_ms, want);
}

TEST(ReplicaWalk, OneMissedSampleIsNoGap) {
  std::vector<int64_t> first = Every(0, 600, 15);
  first.erase(first.begin() + 10);
  EXPECT_EQ(Merge({Replica(1, first), Replica(2, Every(7, 600, 15))}).times_ms, first);
}

TEST(ReplicaWalk, IdenticalReplicasLoseNothingWhereverGroupsEnd) {
  std::vector<int64_t> all = Every(0, 15'000, 15);
  for (size_t cut : {1u, 7u, 120u, 500u}) {
    ReplicaWalk walk;
    std::vector<int64_t> got;
    for (size_t begin = 0; begin < all.size(); begin += cut) {
      size_t end = std::min(all.size(), begin + cut);
      std::vector<int64_t> part(all.begin() + static_cast<std::ptrdiff_t>(begin),
                                all.begin() + static_cast<std::ptrdiff_t>(end));
      // The second replica's part ends one sample earlier.
      std::vector<int64_t> shorter(part.begin(), part.end() - 1);
      Samples merged = Merge(walk, {Replica(1, shorter), Replica(2, part)});
      got.insert(got.end(), merged.times_ms.begin(), merged.times_ms.end());
    }
    EXPECT_EQ(got, all) << cut;
  }
}

TEST(ReplicaWalk, ANewGroupGoesOnWithTheReplicaThatIsDue) {
  ReplicaWalk walk;
  Samples first = Merge(walk, {Replica(1, Every(0, 100, 10)), Replica(2, Every(3, 100, 10))});
  EXPECT_EQ(first.times_ms, Every(0, 100, 10));
  Samples second = Merge(walk, {Replica(2, Every(103, 200, 10)), Replica(1, Every(100, 200, 10))});
  EXPECT_EQ(second.values, std::vector<double>(10, 1));
}

// What a replica took is never far from what is kept, and time goes on.
TEST(ReplicaWalk, EverySampleOfARunHasOneThatIsKeptNearIt) {
  std::mt19937 random(5);
  for (int round = 0; round < 300; ++round) {
    int64_t step = 10 + static_cast<int64_t>(random() % 50);
    std::vector<Samples> replicas;
    for (size_t r = 0, n = 1 + random() % 4; r < n; ++r) {
      std::vector<int64_t> times;
      int64_t phase = static_cast<int64_t>(random() % static_cast<uint32_t>(step));
      bool down = false;
      for (int64_t t = phase; t < 200 * step; t += step) {
        if (random() % 20 == 0) down = !down;
        if (!down && random() % 15 != 0) times.push_back(t + static_cast<int64_t>(random() % 3));
      }
      replicas.push_back(Replica(static_cast<double>(r), times));
    }
    Samples merged = Merge(replicas);
    for (size_t i = 1; i < merged.size(); ++i) ASSERT_GT(merged.times_ms[i], merged.times_ms[i - 1]);
    for (const Samples& replica : replicas) {
      for (size_t i = 1; i < replica.size(); ++i) {
        if (replica.times_ms[i] - replica.times_ms[i - 1] > step + 3) continue;  // alone
        auto at = std::lower_bound(merged.times_ms.begin(), merged.times_ms.end(), replica.times_ms[i] - 3 * step);
        ASSERT_TRUE(at != merged.times_ms.end() && *at <= replica.times_ms[i] + 3 * step)
            << "round " << round << " at " << replica.times_ms[i];
      }
    }
  }
}

TEST(ReplicaWalk, ExtremeTimesDoNotOverflow) {
  constexpr int64_t kMin = INT64_MIN, kMax = INT64_MAX;
  Samples merged = Merge({Replica(1, {kMin, 0, kMax}), Replica(2, {kMin + 1, 5, kMax - 1})});
  EXPECT_GE(merged.size(), 3u);
  for (size_t i = 1; i < merged.size(); ++i) EXPECT_GT(merged.times_ms[i], merged.times_ms[i - 1]);
}

}  // namespace
}  // namespace gauntlet::tsdb
