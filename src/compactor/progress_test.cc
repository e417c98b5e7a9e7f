#include "compactor/progress.h"

#include <gtest/gtest.h>

#include "blocks/testing/block_fixture.h"

namespace gauntlet::compactor {
namespace {

constexpr int64_t kHour = 3'600'000;

Group Blocks(int count) {
  blocks::MetaMap metas;
  for (int i = 0; i < count; ++i) {
    blocks::Meta meta =
        blocks::TestMeta(blocks::TestUlid(static_cast<uint8_t>(i + 1)), 2 * i * kHour, 2 * (i + 1) * kHour);
    meta.thanos.files = {{.rel_path = "index", .bytes = 100, .more = {}}};
    metas[meta.block.ulid] = std::make_shared<blocks::Meta>(meta);
  }
  return GroupBlocks(metas).front();
}

TEST(PlannedBacklog, CountsMergesOfMergesToo) {
  const auto ranges = *CompactionRanges(4);
  EXPECT_EQ(PlannedBacklog(ranges, {Blocks(4)}, {}).compactions, 0);
  Backlog day = PlannedBacklog(ranges, {Blocks(5)}, {});
  EXPECT_EQ(day.compactions, 1);
  EXPECT_EQ(day.compaction_blocks, 4);
  EXPECT_EQ(day.compaction_bytes, 400);
  // 24 blocks of 2h to six of 8h, and those to one of 48h; the 25th lets them.
  Backlog two_days = PlannedBacklog(ranges, {Blocks(25)}, {});
  EXPECT_EQ(two_days.compactions, 7);
  EXPECT_EQ(two_days.compaction_blocks, 30);
  EXPECT_EQ(two_days.compaction_bytes, 4800);
}

TEST(PlannedBacklog, ExcludedBlocksAreNoWork) {
  EXPECT_EQ(PlannedBacklog(*CompactionRanges(4), {Blocks(5)}, {blocks::TestUlid(2)}).compaction_blocks, 2);
}

TEST(Progress, TellsShareAndTimeLeft) {
  SimulatedClock clock(0);
  std::vector<std::string> drawn;
  Progress progress([&](const std::string& line) { drawn.push_back(line); }, clock);
  progress.Begin("compacting", 4'000'000);
  EXPECT_EQ(progress.Line(), "compacting [                        ] 0 % (0 B of 4.0 MB)");
  clock.Advance(std::chrono::seconds(10));
  progress.Within(500'000);
  EXPECT_EQ(progress.Line(),
            "compacting [===                     ] 12 % "
            "(500.0 kB of 4.0 MB), 1m10s left");
  progress.Add(1'000'000);
  EXPECT_EQ(progress.Line(),
            "compacting [======                  ] 25 % (1.0 "
            "MB of 4.0 MB), 30s left");
  clock.Advance(std::chrono::hours(3));
  EXPECT_NE(progress.Line().find("9h00m left"), std::string::npos) << progress.Line();
  progress.End();
  EXPECT_EQ(drawn.back(), "");
}

}  // namespace
}  // namespace gauntlet::compactor
