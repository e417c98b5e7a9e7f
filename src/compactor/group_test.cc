#include "compactor/group.h"

#include <gtest/gtest.h>

#include "blocks/testing/block_fixture.h"

namespace gauntlet::compactor {
namespace {

blocks::MetaPtr Block(uint8_t n, int64_t mint, int64_t maxt, const std::string& cluster = "eu", int64_t resolution = 0,
                      const std::string& extensions = "") {
  auto meta = std::make_shared<blocks::Meta>(blocks::TestMeta(blocks::TestUlid(n), mint, maxt, {{"cluster", cluster}}));
  meta->thanos.resolution_ms = resolution;
  meta->thanos.extensions = extensions;
  return meta;
}

blocks::MetaMap MapOf(const BlockList& blocks) {
  blocks::MetaMap metas;
  for (const auto& meta : blocks) metas[meta->block.ulid] = meta;
  return metas;
}

TEST(GroupBlocks, ByLabelsAndResolutionAsThanosNamesThem) {
  auto groups =
      GroupBlocks(MapOf({Block(1, 20, 40), Block(2, 0, 20), Block(3, 0, 20, "us"), Block(4, 0, 20, "eu", 300'000)}));
  ASSERT_EQ(groups.size(), 3u);
  EXPECT_EQ(groups[0].key, "0@10215758682207145076");  // the log of the recorded run names it
  EXPECT_EQ(groups[0].Name(), "0@{cluster=\"eu\"}");
  ASSERT_EQ(groups[0].blocks.size(), 2u);
  EXPECT_EQ(groups[0].blocks[0]->block.ulid, blocks::TestUlid(2));
  EXPECT_EQ(groups[1].key, "0@3852488315917472098");
  EXPECT_EQ(groups[2].key, "300000@10215758682207145076");
  EXPECT_EQ(groups[2].resolution_ms, 300'000);
}

TEST(Overlaps, RunsOfBlocksThatShareTime) {
  BlockList blocks = {Block(1, 0, 20), Block(2, 10, 15), Block(3, 19, 30), Block(4, 30, 40), Block(5, 39, 41)};
  auto overlaps = Overlaps(blocks);
  ASSERT_EQ(overlaps.size(), 2u);
  EXPECT_EQ(overlaps[0].size(), 3u);
  EXPECT_EQ(overlaps[1].size(), 2u);
  EXPECT_EQ(FirstOverlap(blocks).size(), 3u);
  EXPECT_TRUE(Overlaps({Block(1, 0, 20), Block(2, 20, 40)}).empty());
}

TEST(CombineExtensions, KeepsWhatAllHaveThatHaveAny) {
  EXPECT_EQ(CombineExtensions({Block(1, 0, 20)}), "");
  EXPECT_EQ(CombineExtensions({Block(1, 0, 20, "eu", 0, R"({"a": 1, "b": {"c": [2]}})"), Block(2, 0, 20),
                               Block(3, 0, 20, "eu", 0, R"({"b": 7})")}),
            R"({"b": {"c": [2]}})");
  EXPECT_EQ(CombineExtensions({Block(1, 0, 20, "eu", 0, R"({"a": 1})"), Block(3, 0, 20, "eu", 0, R"({"b": 7})")}),
            "{}");
}

}  // namespace
}  // namespace gauntlet::compactor
