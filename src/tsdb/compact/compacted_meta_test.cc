#include "tsdb/compact/compacted_meta.h"

#include <gtest/gtest.h>

#include <vector>

namespace gauntlet::tsdb {
namespace {

Ulid Id(int64_t unix_ms, uint8_t last) {
  Ulid id;
  for (int i = 0; i < 6; ++i) id.bytes[static_cast<size_t>(i)] = static_cast<uint8_t>(unix_ms >> (40 - 8 * i));
  id.bytes[15] = last;
  return id;
}

BlockMeta Meta(uint8_t number, int64_t mint_ms, int64_t maxt_ms, int64_t level, std::vector<std::string> hints = {}) {
  BlockMeta meta;
  meta.ulid = Id(1000 + number, number);
  meta.mint_ms = mint_ms;
  meta.maxt_ms = maxt_ms;
  meta.compaction.level = level;
  meta.compaction.sources = {meta.ulid, Id(500, 1)};
  meta.compaction.hints = std::move(hints);
  return meta;
}

TEST(CompactedMeta, SpansAllAndStandsALevelAbove) {
  BlockMeta a = Meta(1, 100, 200, 1), b = Meta(2, 50, 150, 3);
  std::vector<const BlockMeta*> blocks = {&a, &b};
  BlockMeta meta = CompactedMeta(blocks, Id(7, 7));
  EXPECT_EQ(meta.ulid, Id(7, 7));
  EXPECT_EQ(meta.mint_ms, 50);
  EXPECT_EQ(meta.maxt_ms, 200);
  EXPECT_EQ(meta.compaction.level, 4);
  EXPECT_EQ(meta.compaction.sources, (std::vector<Ulid>{Id(500, 1), a.ulid, b.ulid}));
  ASSERT_EQ(meta.compaction.parents.size(), 2u);
  EXPECT_EQ(meta.compaction.parents[1], (BlockParent{b.ulid, 50, 150}));
}

TEST(CompactedMeta, AHintStaysWhereItHoldsForTheWhole) {
  BlockMeta a = Meta(1, 0, 1, 1, {"from-out-of-order", "from-stale-series"}), b = Meta(2, 1, 2, 1),
            c = Meta(3, 1, 2, 1, {"from-out-of-order"});
  std::vector<const BlockMeta*> mixed = {&a, &b}, both = {&a, &c};
  EXPECT_EQ(CompactedMeta(mixed, {}).compaction.hints, std::vector<std::string>{"from-stale-series"});
  EXPECT_EQ(CompactedMeta(both, {}).compaction.hints,
            (std::vector<std::string>{"from-out-of-order", "from-stale-series"}));
}

TEST(OutputUlid, FollowsFromSourcesParametersAndSalt) {
  std::vector<Ulid> blocks = {Id(1000, 1), Id(3000, 2), Id(2000, 3)}, turned = {blocks[2], blocks[0], blocks[1]};
  Ulid id = OutputUlid(blocks, "chain", 0);
  EXPECT_EQ(id.unix_ms(), 3000);
  EXPECT_EQ(OutputUlid(turned, "chain", 0), id);
  EXPECT_NE(OutputUlid(blocks, "penalty", 0), id);
  EXPECT_NE(OutputUlid(blocks, "chain", 1), id);
  EXPECT_NE(OutputUlid(std::span(blocks).first(2), "chain", 0), id);
  EXPECT_EQ(OutputUlid(blocks, "chain", 1).unix_ms(), 3000);
  // Two compactors of different versions must agree for as long as blocks live.
  EXPECT_EQ(id.ToString(), "00000002XR5RZY571KNYQRJ7S4");
}

}  // namespace
}  // namespace gauntlet::tsdb
