#include "compactor/planner.h"

#include <gtest/gtest.h>

#include "blocks/markers.h"
#include "blocks/testing/block_fixture.h"

namespace gauntlet::compactor {
namespace {

struct B {
  uint8_t n;
  int64_t mint, maxt;
  int64_t index_bytes = 0;
  bool failed = false;
  uint64_t series = 0, tombstones = 0;
  int64_t resolution = 0;
};

BlockList Make(const std::vector<B>& specs) {
  BlockList blocks;
  for (const B& b : specs) {
    auto meta = std::make_shared<blocks::Meta>(blocks::TestMeta(blocks::TestUlid(b.n), b.mint, b.maxt));
    meta->block.stats.series = b.series;
    meta->block.stats.tombstones = b.tombstones;
    meta->block.compaction.failed = b.failed;
    meta->thanos.resolution_ms = b.resolution;
    if (b.index_bytes > 0) meta->thanos.files = {{.rel_path = "index", .bytes = b.index_bytes, .more = {}}};
    blocks.push_back(meta);
  }
  SortByTime(&blocks);
  return blocks;
}

std::vector<int> Numbers(const BlockList& blocks) {
  std::vector<int> numbers;
  for (const auto& meta : blocks) numbers.push_back(meta->block.ulid.bytes[15]);
  return numbers;
}

std::set<Ulid> Ids(const std::vector<uint8_t>& numbers) {
  std::set<Ulid> ids;
  for (uint8_t n : numbers) ids.insert(blocks::TestUlid(n));
  return ids;
}

using Expected = std::vector<int>;
const std::vector<int64_t> kRanges = {20, 60, 180, 540, 1620};

std::vector<int> Planned(const std::vector<B>& specs, const std::vector<uint8_t>& excluded = {}) {
  return Numbers(PlanMerge(kRanges, Make(specs), Ids(excluded)).blocks);
}

TEST(PlanMerge, WaitsUntilABlockAfterTheWindowIsThere) {
  EXPECT_EQ(Planned({}), Expected());
  EXPECT_EQ(Planned({{1, 0, 20}}), Expected());
  EXPECT_EQ(Planned({{1, 0, 20}, {2, 20, 40}}), Expected());
  EXPECT_EQ(Planned({{1, 0, 20}, {2, 20, 40}, {3, 40, 60}}), Expected());
  EXPECT_EQ(Planned({{1, 0, 20}, {2, 20, 40}, {3, 40, 60}, {4, 60, 80}}), Expected({1, 2, 3}));
}

TEST(PlanMerge, WindowWithAGapIsTakenOnceNothingCanComeForIt) {
  EXPECT_EQ(Planned({{1, 0, 20}, {2, 20, 40}, {4, 60, 80}}), Expected());
  EXPECT_EQ(Planned({{1, 0, 20}, {2, 20, 40}, {4, 60, 80}, {5, 80, 100}}), Expected({1, 2}));
  EXPECT_EQ(Planned({{6, 0, 60}, {8, 120, 180}, {9, 180, 200}, {10, 200, 220}}), Expected({6, 8}));
}

TEST(PlanMerge, SmallWindowsComeBeforeLargeOnes) {
  EXPECT_EQ(Planned({{6, 0, 60}, {7, 60, 120}, {8, 120, 180}, {9, 180, 200}, {10, 200, 220}}), Expected({6, 7, 8}));
  EXPECT_EQ(Planned({{1, 0, 20}, {2, 20, 40}, {3, 40, 60}, {4, 60, 120}, {5, 120, 180}}), Expected({1, 2, 3}));
  EXPECT_EQ(Planned({{2, 20, 40}, {4, 60, 120}, {5, 960, 980}, {6, 120, 180}, {7, 720, 960}}), Expected({2, 4, 6}));
}

TEST(PlanMerge, NewestIsTheLastInTimeNotInId) {
  EXPECT_EQ(Planned({{5, 0, 360}, {6, 540, 560}, {7, 360, 420}, {8, 420, 540}}), Expected({7, 8}));
}

TEST(PlanMerge, TimesBeforeTheEpochHaveWindowsToo) {
  EXPECT_EQ(Planned({{1, -60, -40}, {2, -40, -20}, {3, -20, 0}, {4, 0, 20}}), Expected({1, 2, 3}));
  EXPECT_EQ(Planned({{1, -80, -60}, {2, -60, -40}, {3, -20, 0}, {4, 0, 20}}), Expected({2, 3}));
}

TEST(PlanMerge, BigBlockWithManyDeletionsIsRewrittenOnceItIsNotTheNewest) {
  const B many{.n = 1, .mint = 0, .maxt = 540, .series = 10, .tombstones = 3};
  EXPECT_EQ(Planned({many}), Expected());
  EXPECT_EQ(Planned({many, {2, 540, 560}}), Expected({1}));
  EXPECT_EQ(Planned({many, {2, 540, 560}}, {1}), Expected());
  EXPECT_EQ(Planned({{.n = 1, .mint = 0, .maxt = 60, .series = 10, .tombstones = 3}, {2, 60, 80}}), Expected());
  EXPECT_EQ(Planned({{.n = 1, .mint = 0, .maxt = 540}, {2, 540, 560}}), Expected());
  EXPECT_EQ(PlanMerge(kRanges, Make({many, {2, 540, 560}}), {}).reason, Plan::Reason::kDeletions);
}

TEST(PlanMerge, OverlappingBlocksComeFirst) {
  EXPECT_EQ(Planned({{1, 0, 20}, {2, 19, 40}, {3, 40, 60}}), Expected({1, 2}));
  EXPECT_EQ(Planned({{1, 0, 20}, {2, 20, 40}, {3, 30, 50}}), Expected({2, 3}));
  EXPECT_EQ(Planned({{1, 0, 20}, {2, 10, 40}, {3, 30, 50}}), Expected({1, 2, 3}));
  EXPECT_EQ(Planned({{5, 0, 360}, {6, 340, 560}, {7, 360, 420}, {8, 420, 540}}), Expected({5, 6, 7, 8}));
  EXPECT_EQ(Planned({{1, 0, 10}, {2, 9, 20}, {3, 30, 40}, {4, 39, 50}}), Expected({1, 2}));
  EXPECT_EQ(PlanMerge(kRanges, Make({{1, 0, 20}, {2, 19, 40}}), {}).reason, Plan::Reason::kOverlap);
}

TEST(PlanMerge, WindowWithAFailedBlockIsLeftAlone) {
  auto failed = [](uint8_t n, int64_t mint, int64_t maxt) {
    return B{.n = n, .mint = mint, .maxt = maxt, .failed = true};
  };
  EXPECT_EQ(Planned({{1, 0, 20}, failed(2, 20, 40), {3, 40, 60}, {4, 60, 80}}), Expected());
  EXPECT_EQ(Planned({{1, 0, 20}, failed(2, 20, 40), {4, 60, 80}, {5, 80, 100}}), Expected());
  EXPECT_EQ(Planned({{1, 0, 20}, failed(2, 20, 40), {3, 40, 60}, {4, 60, 120}, {5, 120, 180}, {6, 180, 200}}),
            Expected());
}

TEST(PlanMerge, ExcludedBlocksCutWindowsAndAreNeverSpanned) {
  const std::vector<B> four = {{1, 0, 20}, {2, 20, 40}, {3, 40, 60}, {4, 60, 80}};
  EXPECT_EQ(Planned({{1, 0, 20}}, {1}), Expected());
  EXPECT_EQ(Planned(four, {1}), Expected({2, 3}));
  EXPECT_EQ(Planned(four, {2}), Expected());
  EXPECT_EQ(Planned(four, {4}), Expected({1, 2, 3}));
  EXPECT_EQ(Planned(four, {1, 4}), Expected({2, 3}));
  EXPECT_EQ(Planned(four, {1, 2, 3, 4}), Expected());
  EXPECT_EQ(Planned({{1, 0, 20}, {2, 20, 40}, {4, 60, 80}, {5, 80, 100}}, {2}), Expected());
  const std::vector<B> mixed = {{2, 20, 40}, {4, 60, 120}, {5, 960, 980}, {6, 120, 180}, {7, 720, 960}};
  EXPECT_EQ(Planned(mixed, {6}), Expected({2, 4}));
  EXPECT_EQ(Planned(mixed, {4}), Expected());
  EXPECT_EQ(Planned({{1, 0, 20}, {2, 19, 40}, {3, 40, 60}}, {1}), Expected());
}

class PlannerTest : public testing::Test {
 protected:
  std::vector<int> Next(const std::vector<B>& specs, bool vertical = true) {
    exclusions_.clear();
    Planner planner({kRanges, 100, vertical}, [this](const blocks::Meta& meta) -> Result<int64_t> {
      asked_.push_back(meta.block.ulid.bytes[15]);
      return 90;
    });
    Result<Plan> plan = planner.Next(Make(specs), {}, &exclusions_);
    EXPECT_TRUE(plan.ok());
    return plan.ok() ? Numbers(plan->blocks) : std::vector<int>();
  }
  std::vector<std::pair<int, std::string>> excluded() const {
    std::vector<std::pair<int, std::string>> out;
    for (const Exclusion& e : exclusions_) out.emplace_back(e.id.bytes[15], e.reason);
    return out;
  }
  std::vector<Exclusion> exclusions_;
  std::vector<int> asked_;
  using Excluded = std::vector<std::pair<int, std::string>>;
};

TEST_F(PlannerTest, TheBlockWithTheBiggestIndexIsLeftOutOfAResultThatCouldExceedTheLimit) {
  EXPECT_EQ(Next({{1, 0, 20, 90}}), Expected());
  EXPECT_EQ(excluded(), Excluded());
  EXPECT_EQ(Next({{1, 0, 20, 90}, {2, 20, 40, 30}, {3, 40, 60, 30}, {4, 60, 80, 30}}), Expected({2, 3}));
  EXPECT_EQ(excluded(), (Excluded{{1, blocks::kIndexSizeReason}}));
  EXPECT_EQ(Next({{1, 0, 20, 30}, {2, 20, 40, 90}, {3, 40, 60, 20}, {4, 60, 80, 20}}), Expected());
  EXPECT_EQ(excluded(), (Excluded{{2, blocks::kIndexSizeReason}}));
  EXPECT_EQ(Next({{1, 0, 20, 90}, {2, 20, 40, 30}, {3, 40, 50, 30}, {4, 50, 60, 90}, {5, 60, 80, 90}}),
            Expected({2, 3}));
  EXPECT_EQ(excluded().size(), 2u);
  EXPECT_EQ(Next({{1, 0, 20, 90}, {2, 19, 40, 30}, {3, 40, 60, 30}}), Expected());
  EXPECT_EQ(excluded().size(), 1u);
  EXPECT_TRUE(asked_.empty());
}

TEST_F(PlannerTest, TheNewestBlockMayBeAsLargeAsItWants) {
  EXPECT_EQ(Next({{1, 0, 20, 10}, {2, 20, 40, 10}, {3, 40, 60, 10}, {4, 60, 80, 90}}), Expected({1, 2, 3}));
  EXPECT_EQ(excluded(), Excluded());
}

TEST_F(PlannerTest, SizeThatTheMetaDoesNotSayIsAskedFor) {
  EXPECT_EQ(Next({{1, 0, 20, 10}, {2, 20, 40}, {3, 40, 60, 10}, {4, 60, 80, 10}}), Expected());
  EXPECT_EQ(asked_, Expected({2}));
  EXPECT_EQ(excluded(), (Excluded{{2, blocks::kIndexSizeReason}}));
}

TEST_F(PlannerTest, OverlappingDownsampledBlocksAreLeftOutWhereOverlapsAreMerged) {
  auto down = [](uint8_t n, int64_t mint, int64_t maxt) {
    return B{.n = n, .mint = mint, .maxt = maxt, .index_bytes = 1, .resolution = 300'000};
  };
  EXPECT_EQ(Next({down(1, 0, 20), down(2, 10, 20), down(3, 20, 40), down(4, 40, 60), down(5, 60, 80)}),
            Expected({3, 4}));
  EXPECT_EQ(excluded(), (Excluded{{1, blocks::kDownsampleVerticalReason}, {2, blocks::kDownsampleVerticalReason}}));
}

TEST(CompactionRanges, UpToALevel) {
  EXPECT_EQ(*CompactionRanges(2), (std::vector<int64_t>{3'600'000, 7'200'000, 28'800'000}));
  EXPECT_EQ(CompactionRanges(4)->back(), int64_t{14} * 24 * 3'600'000);
  EXPECT_FALSE(CompactionRanges(5).ok());
  EXPECT_FALSE(CompactionRanges(-1).ok());
}

}  // namespace
}  // namespace gauntlet::compactor
