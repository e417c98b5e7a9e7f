#include "sidecar/local_blocks.h"

#include <gtest/gtest.h>

#include "io/fake_file_system.h"
#include "tsdb/block/block_writer.h"
#include "tsdb/chunkenc/xor.h"

namespace gauntlet::sidecar {
namespace {

constexpr int64_t kHour = 3600000;

class LocalBlocksTest : public ::testing::Test {
 protected:
  LocalBlocksTest() { EXPECT_TRUE(files_.MakeDirectories("data").ok()); }

  std::string Write(int64_t mint_ms, int64_t maxt_ms) {
    tsdb::BlockMeta meta;
    meta.ulid = Ulid::Make(++made_);
    meta.mint_ms = mint_ms;
    meta.maxt_ms = maxt_ms;
    auto writer = tsdb::BlockWriter::Create(files_, "data", meta);
    EXPECT_TRUE((*writer)->AddSymbol("a").ok());
    tsdb::XorAppender appender;
    appender.Append(mint_ms, 1);
    std::string bytes = appender.Release();
    std::vector<tsdb::BlockChunk> chunks = {{mint_ms, mint_ms, {tsdb::Encoding::kXor, bytes}}};
    EXPECT_TRUE((*writer)->AddSeries(Labels::From({{"a", "a"}}), chunks).ok());
    EXPECT_TRUE((*writer)->Finish().ok());
    return meta.ulid.ToString();
  }
  // Two blocks, [0, 2h) and [2h, 4h), and a head from 4 h to 5 h.
  void TwoBlocks() {
    first_ = Write(0, 2 * kHour);
    second_ = Write(2 * kHour, 4 * kHour);
    state_.database = {0, 4 * kHour, 5 * kHour, 2};
  }
  int64_t End() {
    auto readable = blocks_.Take();
    return readable ? readable->end_ms : -1;
  }

  io::FakeFileSystem files_;
  SimulatedClock clock_{1000};
  telemetry::Registry registry_;
  LocalBlocks blocks_{files_, "data", {std::chrono::minutes(10)}, clock_, registry_, telemetry::Logger::Discard()};
  PrometheusState state_;
  std::string first_, second_;
  int64_t made_ = 0;
};

TEST_F(LocalBlocksTest, NothingIsReadBeforePrometheusWasAsked) {
  TwoBlocks();
  EXPECT_EQ(End(), -1);
  blocks_.Compare(state_);
  EXPECT_EQ(End(), 4 * kHour);
  EXPECT_EQ(blocks_.Take()->blocks->size(), 2u);
}

TEST_F(LocalBlocksTest, AFolderThatIsNotItsOwnIsLeftAlone) {
  blocks_.Compare(state_);
  EXPECT_EQ(End(), -1);  // no blocks
  TwoBlocks();
  state_.database.blocks = 3;
  blocks_.Compare(state_);
  EXPECT_EQ(End(), -1);
  state_.database = {1, 4 * kHour, 5 * kHour, 2};
  blocks_.Compare(state_);
  EXPECT_EQ(End(), -1);
  state_.database = {0, 4 * kHour, 5 * kHour, std::nullopt};
  blocks_.Compare(state_);
  EXPECT_EQ(End(), -1);
}

TEST_F(LocalBlocksTest, TheHeadsTimesAreLeftToPrometheus) {
  TwoBlocks();
  state_.database.head_min_ms = 3 * kHour;  // the last block is new: the head still has its times
  blocks_.Compare(state_);
  EXPECT_EQ(End(), 3 * kHour);
  state_.database.head_min_ms = 4 * kHour + 5;
  blocks_.Compare(state_);
  EXPECT_EQ(End(), 4 * kHour);
  state_.database.head_min_ms.reset();
  blocks_.Compare(state_);
  EXPECT_EQ(End(), 4 * kHour);
}

TEST_F(LocalBlocksTest, LateSamplesMayComeWithinTheWindow) {
  TwoBlocks();
  state_.out_of_order_window_ms = 90 * 60000;
  blocks_.Compare(state_);
  clock_.Advance(std::chrono::minutes(11));
  blocks_.Compare(state_);
  EXPECT_EQ(End(), 5 * kHour - 90 * 60000);
  // A window that is closed leaves samples behind.
  state_.out_of_order_window_ms = 0;
  blocks_.Compare(state_);
  EXPECT_EQ(End(), 5 * kHour - 90 * 60000);
  state_.database.head_max_ms.reset();
  blocks_.Compare(state_);
  EXPECT_EQ(End(), -1);
}

TEST_F(LocalBlocksTest, WithAWindowANewBlockSettlesFirst) {
  TwoBlocks();
  state_.out_of_order_window_ms = 60000;
  state_.database.head_max_ms = 9 * kHour;
  blocks_.Compare(state_);
  EXPECT_LT(End(), 2 * kHour);
  clock_.Advance(std::chrono::minutes(10));
  blocks_.Compare(state_);
  EXPECT_EQ(End(), 4 * kHour);
  Write(4 * kHour, 6 * kHour);
  state_.database = {0, 6 * kHour, 9 * kHour, 3};
  blocks_.Compare(state_);
  EXPECT_EQ(End(), 4 * kHour);
  clock_.Advance(std::chrono::minutes(10));
  blocks_.Compare(state_);
  EXPECT_EQ(End(), 6 * kHour);
}

TEST_F(LocalBlocksTest, LateSamplesThatAreBeingWrittenAreWaitedFor) {
  TwoBlocks();
  state_.out_of_order_window_ms = 60000;
  state_.database.head_max_ms = 9 * kHour;
  ASSERT_TRUE(files_.MakeDirectories("data/wbl").ok());
  for (const char* segment : {"00000007", "00000008", "x"}) {
    ASSERT_TRUE(files_.WriteAtomically(std::string("data/wbl/") + segment, "").ok());
  }
  blocks_.Compare(state_);
  clock_.Advance(std::chrono::minutes(60));
  blocks_.Compare(state_);
  EXPECT_LT(End(), 2 * kHour);
  ASSERT_TRUE(files_.WriteAtomically("data/wbl/00000009", "").ok());  // more late samples came meanwhile
  ASSERT_TRUE(files_.RemoveFile("data/wbl/00000007").ok());
  blocks_.Compare(state_);
  EXPECT_EQ(End(), 4 * kHour);
}

TEST_F(LocalBlocksTest, BlocksThatChangeBetweenLooksAreSeen) {
  TwoBlocks();
  blocks_.Compare(state_);
  ASSERT_TRUE(files_.RemoveAll("data/" + first_).ok());  // retention
  ASSERT_TRUE(blocks_.Take().has_value());
  EXPECT_EQ(blocks_.Take()->blocks->size(), 1u);
  ASSERT_TRUE(files_.RemoveFile("data/" + second_ + "/index").ok());
  ASSERT_TRUE(files_.WriteAtomically("data/" + second_ + "/tombstones", tsdb::Tombstones().Format()).ok());
  EXPECT_FALSE(blocks_.Take().has_value());  // broken: Prometheus is asked
}

}  // namespace
}  // namespace gauntlet::sidecar
