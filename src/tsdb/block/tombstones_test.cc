#include "tsdb/block/tombstones.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace gauntlet::tsdb {
namespace {

TEST(TombstoneIntervals, AgreeWithASetOfTimes) {
  std::mt19937 random(4);
  for (int round = 0; round < 300; ++round) {
    std::vector<Interval> intervals;
    std::set<int64_t> times;
    for (int i = 0; i < 8; ++i) {
      int64_t begin = random() % 60, end = begin + random() % 7;
      AddInterval(intervals, {begin, end});
      for (int64_t t = begin; t <= end; ++t) times.insert(t);
    }
    for (size_t i = 1; i < intervals.size(); ++i) EXPECT_GT(intervals[i].mint_ms, intervals[i - 1].maxt_ms + 1);
    std::set<int64_t> got;
    for (const Interval& i : intervals) {
      for (int64_t t = i.mint_ms; t <= i.maxt_ms; ++t) got.insert(t);
    }
    EXPECT_EQ(got, times);
    Samples samples;
    for (int64_t t = 0; t < 70; t += 1 + random() % 3) {
      samples.times_ms.push_back(t);
      samples.values.push_back(static_cast<double>(t));
    }
    std::vector<int64_t> kept;
    size_t base = random() % samples.size();
    for (size_t i = 0; i < samples.size(); ++i) {
      if (i < base || times.count(samples.times_ms[i]) == 0) kept.push_back(samples.times_ms[i]);
    }
    RemoveDeleted(intervals, base, &samples);
    EXPECT_EQ(samples.times_ms, kept);
    EXPECT_EQ(samples.values.size(), kept.size());
  }
}

TEST(TombstoneIntervals, EndsOfTimeJoin) {
  constexpr int64_t kMin = std::numeric_limits<int64_t>::min(), kMax = std::numeric_limits<int64_t>::max();
  std::vector<Interval> intervals;
  AddInterval(intervals, {kMin, 0});
  AddInterval(intervals, {1, kMax});
  EXPECT_EQ(intervals, (std::vector<Interval>{{kMin, kMax}}));
  AddInterval(intervals, {5, 4});
  EXPECT_EQ(intervals.size(), 1u);
}

TEST(TombstoneIntervals, OnlyOneIntervalHoldsAChunk) {
  std::vector<Interval> intervals = {{0, 10}, {20, 30}};
  EXPECT_TRUE(IsDeleted(intervals, 0, 10));
  EXPECT_TRUE(IsDeleted(intervals, 22, 25));
  EXPECT_FALSE(IsDeleted(intervals, 5, 25));
  EXPECT_FALSE(IsDeleted(intervals, 12, 15));
}

TEST(TombstoneFile, ComesBack) {
  Tombstones stones;
  stones.Add(7, {1, 5});
  stones.Add(7, {-100, -50});
  stones.Add(1000000, {0, 0});
  auto read = Tombstones::Parse(stones.Format());
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->by_series(), stones.by_series());
  EXPECT_EQ(read->Of(7).size(), 2u);
  EXPECT_TRUE(read->Of(8).empty());
  EXPECT_EQ(Tombstones().Format().size(), 9u);
  EXPECT_TRUE(Tombstones::Parse(Tombstones().Format())->empty());
}

TEST(TombstoneFile, EveryCutAndFlippedBitIsSeen) {
  Tombstones stones;
  for (uint32_t i = 0; i < 20; ++i) stones.Add(i * 31, {i, 1000 * i});
  std::string whole = stones.Format();
  for (size_t n = 0; n < whole.size(); ++n) EXPECT_FALSE(Tombstones::Parse(whole.substr(0, n)).ok()) << n;
  for (size_t bit = 0; bit < whole.size() * 8; ++bit) {
    std::string flipped = whole;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    EXPECT_FALSE(Tombstones::Parse(flipped).ok()) << bit;
  }
}

}  // namespace
}  // namespace gauntlet::tsdb
