#include "tsdb/compact/compaction.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "tsdb/compact/testing/compaction_fixture.h"

namespace gauntlet::tsdb {
namespace {

TEST_F(Compaction, ChunksThatDoNotOverlapAreCopied) {
  auto a = Write({{"x", {{0, 1}, {10, 2}}}, {"y", {{5, 1}}}}, 0, 100);
  auto b = Write({{"x", {{100, 3}, {110, 4}}}, {"z", {{150, 9}}}}, 100, 200);
  auto meta = Compact({a, b});
  ASSERT_TRUE(meta.ok()) << meta.status().message();
  EXPECT_EQ((*meta)->stats.series, 3u);
  EXPECT_EQ((*meta)->stats.chunks, 4u);
  EXPECT_EQ((*meta)->stats.samples, 6u);
  EXPECT_EQ((*meta)->stats.float_samples, 6u);
  EXPECT_EQ(Read(**meta), (Content{{"x", {{0, 1}, {10, 2}, {100, 3}, {110, 4}}}, {"y", {{5, 1}}}, {"z", {{150, 9}}}}));
}

TEST_F(Compaction, SamplesOutsideOfTheSpanAreLeftOut) {
  auto a = Write({{"x", {{0, 1}, {50, 2}, {150, 3}}}, {"y", {{200, 1}}}}, 0, 100);
  auto meta = Compact({a});
  ASSERT_TRUE(meta.ok()) << meta.status().message();
  EXPECT_EQ(Read(**meta), (Content{{"x", {{0, 1}, {50, 2}}}}));
}

// Blocks with random chunks, deletions and spans; all that they show is in the merged block, and nothing else.
TEST_F(Compaction, RandomOverlappingBlocksGiveTheUnionOfTheirSamples) {
  std::mt19937 random(11);
  for (int round = 0; round < 150; ++round) {
    std::vector<std::shared_ptr<const Block>> blocks;
    std::map<std::string, std::map<int64_t, std::set<double>>> want;
    for (size_t b = 0, n = 1 + random() % 5; b < n; ++b) {
      int64_t mint = static_cast<int64_t>(random() % 4) * kHour, maxt = mint + kHour * (1 + random() % 2);
      std::vector<ChunkOf> chunks;
      std::map<std::string, std::vector<Interval>> deleted;
      for (int s = 0; s < 8; ++s) {
        if (random() % 3 == 0) continue;
        std::string series(1, static_cast<char>('a' + s));
        int64_t t = mint + static_cast<int64_t>(random() % 100'000);
        while (t < maxt) {
          ChunkOf chunk{series, {}};
          for (size_t i = 0, m = 1 + random() % 60; i < m && t < maxt; ++i) {
            chunk.samples.emplace_back(t, random() % 2 == 0 ? 1.5 : static_cast<double>(random() % 1000));
            t += 15'000 * (1 + (random() % 10 == 0)) + static_cast<int64_t>(random() % 2) * (random() % 200);
          }
          chunks.push_back(chunk);
          t += static_cast<int64_t>(random() % 3) * 60'000;
        }
        for (size_t i = random() % 3; i > 0; --i) {
          int64_t from = mint + static_cast<int64_t>(random() % (2 * kHour));
          AddInterval(deleted[series], {from, from + static_cast<int64_t>(random() % (kHour / 2))});
        }
      }
      blocks.push_back(Write(chunks, mint, maxt, deleted));
      for (const auto& [series, points] : Read(*blocks.back())) {
        for (auto [t, v] : points) want[series][t].insert(v);
      }
    }
    std::stable_sort(blocks.begin(), blocks.end(),
                     [](const auto& a, const auto& b) { return a->meta().mint_ms < b->meta().mint_ms; });
    ThreadPool pool("compact", 2);
    auto meta = Compact(blocks, {.executor = round % 2 == 0 ? nullptr : &pool});
    ASSERT_TRUE(meta.ok()) << meta.status().message();
    if (want.empty()) {
      EXPECT_FALSE(meta->has_value());
      continue;
    }
    Content got = Read(**meta);
    ASSERT_EQ(got.size(), want.size()) << "round " << round;
    for (const auto& [series, points] : want) {
      ASSERT_EQ(got[series].size(), points.size()) << "round " << round << " " << series;
      for (const auto& [t, values] : points) {
        ASSERT_TRUE(got[series].count(t) != 0 && values.count(got[series][t]) != 0) << "round " << round;
      }
    }
  }
}

TEST_F(Compaction, PenaltyKeepsEverySampleOfIdenticalReplicas) {
  std::mt19937 random(3);
  std::vector<std::pair<int64_t, double>> all;
  for (int64_t t = 0; t < 3240 * 15'000; t += 15'000) all.emplace_back(t, static_cast<double>(random() % 1000));
  auto cut = [&](size_t samples) {
    std::vector<ChunkOf> chunks;
    for (size_t i = 0; i < all.size(); i += samples) {
      auto begin = all.begin() + static_cast<std::ptrdiff_t>(i);
      chunks.push_back({"x", {begin, begin + static_cast<std::ptrdiff_t>(std::min(samples, all.size() - i))}});
    }
    return chunks;
  };
  auto a = Write(cut(120), 0, all.back().first + 1), b = Write(cut(100), 0, all.back().first + 1);
  auto meta = Compact({a, b}, {.kind = MergeKind::kPenalty});
  ASSERT_TRUE(meta.ok()) << meta.status().message();
  EXPECT_EQ((*meta)->stats.samples, 3240u);
  EXPECT_EQ(Read(**meta)["x"], Points(all.begin(), all.end()));
  auto exact = Compact({a, b}, {.kind = MergeKind::kPenaltyExact});
  ASSERT_TRUE(exact.ok());
  EXPECT_LT((*exact)->stats.samples, 3240u);
}

// Batches go through workers side by side: the order of what is written is that of the series, and so is the first
// error.
TEST_F(Compaction, ManyWorkersWriteWhatOneWrites) {
  std::vector<ChunkOf> early, late;
  for (int i = 0; i < 3000; ++i) {
    const std::string series = std::to_string(10'000 + i);
    early.push_back({series, {{i % 7, i}, {50, i + 1}}});
    // Every tenth overlaps, some are in one block only.
    if (i % 3 != 0) late.push_back({series, {{i % 10 == 0 ? 20 : 60, i}, {99, i + 2}}});
  }
  auto a = Write(early, 0, 100), b = Write(late, 0, 100);
  ThreadPool pool("compact", 8);
  auto bytes = [&](const BlockMeta& meta) {
    const std::string dir = "data/" + meta.ulid.ToString();
    std::string all = *files_.ReadFile(dir + "/index");
    auto segments = files_.List(dir + "/chunks");
    for (const io::FileInfo& segment : *segments) all += *files_.ReadFile(dir + "/chunks/" + segment.name);
    return all;
  };
  auto one = Compact({a, b});
  ASSERT_TRUE(one.ok()) << one.status().message();
  for (int round = 0; round < 5; ++round) {
    auto many = Compact({a, b}, {.executor = &pool});
    ASSERT_TRUE(many.ok()) << many.status().message();
    EXPECT_EQ((*many)->stats, (*one)->stats);
    EXPECT_TRUE(bytes(**many) == bytes(**one));
  }

  const std::string dir = "data/" + a->meta().ulid.ToString();
  std::string segment = *files_.ReadFile(dir + "/chunks/000001");
  for (size_t at : {segment.size() / 3, segment.size() / 2, segment.size() - 6}) segment[at] ^= 1;
  ASSERT_TRUE(files_.WriteAtomically(dir + "/chunks/000001", segment).ok());
  auto broken = *Block::Open(files_, dir);
  BlockFault first;
  ASSERT_FALSE(Compact({broken, b}, {}, &first).ok());
  for (int round = 0; round < 20; ++round) {
    BlockFault fault;
    ASSERT_FALSE(Compact({broken, b}, {.executor = &pool}, &fault).ok());
    EXPECT_EQ(fault.series, first.series);
    EXPECT_EQ(fault.kind, first.kind);
    EXPECT_EQ(fault.block, a->meta().ulid);
  }
}

}  // namespace
}  // namespace gauntlet::tsdb
