#include "compactor/quarantine.h"

#include <gtest/gtest.h>

#include "blocks/testing/block_fixture.h"
#include "objstore/memory_bucket.h"

namespace gauntlet::compactor {
namespace {

using blocks::TestUlid;

QuarantineMark BlockMark(uint8_t n) {
  return {TestUlid(n).ToString(),
          "0@{cluster=\"eu\"}",
          {TestUlid(n)},
          kChunkOrderReason,
          "chunk 2 begins before chunk 1 ends",
          "{job=\"x\"}",
          "gauntlet tools bucket repair --id=...",
          1'767'571'200};
}

class QuarantineTest : public testing::Test {
 protected:
  objstore::MemoryBucket bucket_;
  telemetry::Registry registry_;
  Quarantine quarantine_{bucket_, registry_, telemetry::Logger::Discard()};
};

TEST(QuarantineMark, ReadsAsItWasWritten) {
  QuarantineMark mark = BlockMark(1);
  mark.details = "a \"quoted\" one\nwith two lines";
  auto read = ParseQuarantineMark(FormatQuarantineMark(mark));
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(*read, mark);
  EXPECT_FALSE(mark.of_group());
  mark.subject = "0@123";
  EXPECT_TRUE(mark.of_group());
}

TEST(QuarantineMark, EveryPrefixIsRefused) {
  const std::string text = FormatQuarantineMark(BlockMark(1));
  for (size_t n = 0; n + 2 < text.size(); ++n) EXPECT_FALSE(ParseQuarantineMark(text.substr(0, n)).ok()) << n;
  EXPECT_EQ(ParseQuarantineMark(R"({"subject":"a","version":2})").status().code(), Code::kUnsupported);
  EXPECT_FALSE(ParseQuarantineMark(R"({"subject":"a","version":1,"blocks":["x"]})").ok());
  EXPECT_FALSE(ParseQuarantineMark(R"({"version":1})").ok());
}

TEST_F(QuarantineTest, MarkIsSetOnceAndAnotherProcessSeesIt) {
  EXPECT_TRUE(*quarantine_.Put(BlockMark(1), Cancel()));
  EXPECT_FALSE(*quarantine_.Put(BlockMark(1), Cancel()));
  telemetry::Registry registry;
  Quarantine other(bucket_, registry, telemetry::Logger::Discard());
  ASSERT_TRUE(other.Load(Cancel()).ok());
  EXPECT_EQ(other.Blocks(), std::set<Ulid>{TestUlid(1)});
  EXPECT_EQ(other.marks().begin()->second, BlockMark(1));
  EXPECT_NE(
      registry.Expose(false).find("gauntlet_compact_quarantined{kind=\"block\",reason=\"out-of-order-chunks\"} 1"),
      std::string::npos);
}

TEST_F(QuarantineTest, LiftedByOneIsSeenByTheOther) {
  ASSERT_TRUE(quarantine_.Put(BlockMark(1), Cancel()).ok());
  Quarantine other(bucket_, registry_, telemetry::Logger::Discard());
  ASSERT_TRUE(other.Load(Cancel()).ok());
  ASSERT_TRUE(other.Lift(TestUlid(1).ToString(), Cancel()).ok());
  EXPECT_TRUE(quarantine_.Holds(TestUlid(1).ToString()));
  ASSERT_TRUE(quarantine_.Load(Cancel()).ok());
  EXPECT_FALSE(quarantine_.Holds(TestUlid(1).ToString()));
}

TEST_F(QuarantineTest, MarksOfBlocksThatAreGoneGo) {
  for (uint8_t n : {1, 2, 3}) ASSERT_TRUE(quarantine_.Put(BlockMark(n), Cancel()).ok());
  QuarantineMark group = BlockMark(4);
  group.subject = "0@123";
  ASSERT_TRUE(quarantine_.Put(group, Cancel()).ok());
  blocks::MetaMap metas = {{TestUlid(1), std::make_shared<blocks::Meta>(blocks::TestMeta(TestUlid(1)))}};
  ASSERT_TRUE(quarantine_.Forget(metas, {{TestUlid(2), Status(Code::kCorrupt, "bad")}}, Cancel()).ok());
  EXPECT_EQ(quarantine_.Blocks(), (std::set<Ulid>{TestUlid(1), TestUlid(2)}));
  EXPECT_TRUE(quarantine_.Holds("0@123"));
}

TEST_F(QuarantineTest, FailedDownsamplingDoesNotKeepABlockFromMergesAndGivesWayToWhatDoes) {
  QuarantineMark mark = BlockMark(1);
  mark.reason = kDownsampleReason;
  EXPECT_TRUE(*quarantine_.Put(mark, Cancel()));
  EXPECT_TRUE(quarantine_.NotMerged().empty());
  EXPECT_EQ(quarantine_.Blocks().size(), 1u);
  EXPECT_TRUE(*quarantine_.Put(BlockMark(1), Cancel()));
  EXPECT_FALSE(*quarantine_.Put(mark, Cancel()));
  EXPECT_EQ(quarantine_.NotMerged().size(), 1u);
}

TEST_F(QuarantineTest, MarkThatDoesNotReadStillHolds) {
  ASSERT_TRUE(
      objstore::WriteObject(bucket_, std::string(kQuarantinePrefix) + TestUlid(7).ToString() + ".json", "{", Cancel())
          .ok());
  ASSERT_TRUE(quarantine_.Load(Cancel()).ok());
  EXPECT_EQ(quarantine_.Blocks(), std::set<Ulid>{TestUlid(7)});
}

}  // namespace
}  // namespace gauntlet::compactor
