#include "tools/tsdb_create_blocks.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "io/fake_file_system.h"
#include "tools/tsdb_list.h"
#include "tsdb/block/block.h"

namespace gauntlet::tools {
namespace {

constexpr int64_t kHour = 3600000;

class CreateBlocksTest : public ::testing::Test {
 protected:
  std::string Make(const std::string& text, const CreateBlocksOptions& options = {}) {
    std::string out;
    Status st = CreateBlocks(files_, text, "out", options, [&out](std::string_view s) { out += s; }, &dropped_);
    return st.ok() ? out : "error: " + std::string(st.message());
  }
  std::shared_ptr<const tsdb::BlockList> Blocks() {
    auto blocks = OpenBlocks(files_, "out");
    EXPECT_TRUE(blocks.ok()) << blocks.status().message();
    for (const auto& block : **blocks) EXPECT_TRUE(tsdb::VerifyBlock(*block, Cancel()).ok());
    return *blocks;
  }

  io::FakeFileSystem files_;
  uint64_t dropped_ = 0;
};

TEST_F(CreateBlocksTest, OneBlockForEachTwoHoursWithSamples) {
  // Written by promtool: two blocks, of 3 and 1 samples.
  std::string table =
      Make("m{a=\"1\"} 1 1767571200\nm{a=\"1\"} 2 1767571215\nn 5 1767592801.5\nm{a=\"2\"} 3 1767571201\n# EOF\n");
  EXPECT_EQ(std::count(table.begin(), table.end(), '\n'), 3);
  EXPECT_NE(table.find("  1767571200000  1767571215001  15.001s      3            2            2            "),
            std::string::npos)
      << table;
  EXPECT_NE(table.find("  1767592801500  1767592801501  1ms          1            1            1            "),
            std::string::npos)
      << table;
  ASSERT_EQ(Blocks()->size(), 2u);
  EXPECT_EQ((*Blocks())[0]->meta().stats.series, 2u);
  EXPECT_EQ((*Blocks())[0]->meta().compaction.level, 1);
}

TEST_F(CreateBlocksTest, LongerBlocksWhenAllowed) {
  std::string text;
  for (int hour = 0; hour < 18; ++hour) text += "m 1 " + std::to_string(1767571200 + hour * 3600) + "\n";
  EXPECT_EQ(Make(text + "# EOF\n", {.quiet = true, .block_ms_max = 7 * kHour}), "");
  EXPECT_EQ(Blocks()->size(), 3u);
  EXPECT_EQ(BlockLength(0), 2 * kHour);
  EXPECT_EQ(BlockLength(6 * kHour - 1), 2 * kHour);
  EXPECT_EQ(BlockLength(6 * kHour), 6 * kHour);
  EXPECT_EQ(BlockLength(kHour * 1000000000), 2 * kHour * 19683);
}

TEST_F(CreateBlocksTest, LabelsAreAddedAndLateSamplesCounted) {
  Make("m{a=\"1\"} 1 20\nm{a=\"1\"} 1 10\nm{a=\"1\"} 7 20\n# EOF\n", {.labels = {{"cluster", "eu"}, {"a", ""}}});
  EXPECT_EQ(dropped_, 2u);
  auto series = (*Blocks())[0];
  EXPECT_EQ(*series->LabelValues("cluster", {}, 0, Cancel()), std::vector<std::string>{"eu"});
  EXPECT_TRUE(series->LabelValues("a", {}, 0, Cancel())->empty());
}

TEST_F(CreateBlocksTest, ErrorsSayWhatWasBeingDone) {
  EXPECT_EQ(Make("m 1\n# EOF\n"),
            "error: getting min and max timestamp: expected timestamp for series {__name__=\"m\"}, got none");
  EXPECT_EQ(Make("m 1 2\n"), "error: getting min and max timestamp: data does not end with # EOF");
  EXPECT_EQ(Make("# EOF\n"), "");
}

TEST_F(CreateBlocksTest, TimesBeforeTheEpochHaveBlocksToo) {
  Make("m 1 -1\nm 2 1\n# EOF\n");
  ASSERT_EQ(Blocks()->size(), 2u);
  EXPECT_EQ((*Blocks())[0]->meta().mint_ms, -1000);
}

}  // namespace
}  // namespace gauntlet::tools
