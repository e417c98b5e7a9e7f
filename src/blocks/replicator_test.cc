#include "blocks/replicator.h"

#include <gtest/gtest.h>

#include "blocks/testing/block_fixture.h"
#include "io/fake_file_system.h"
#include "objstore/memory_bucket.h"

namespace gauntlet::blocks {
namespace {

class ReplicatorTest : public testing::Test {
 protected:
  Status Run(ReplicationFilter filter = {}) {
    telemetry::Logger& logger = telemetry::Logger::Discard();
    BlockCatalog catalog({}, from_, files_, pool_, registry_, logger);
    MetaFetcher fetcher(catalog, {}, registry_, logger, SystemClock());
    return Replicator(std::move(filter), fetcher, from_, to_, pool_, registry_, logger).Run(Cancel());
  }
  bool Has(const std::string& line) { return registry_.Expose(false).find("\n" + line + "\n") != std::string::npos; }

  objstore::MemoryBucket from_, to_;
  io::FakeFileSystem files_;
  ThreadPool pool_{"test", 4};
  telemetry::Registry registry_;
};

TEST_F(ReplicatorTest, BlocksArriveWholeAndOnce) {
  PutBlock(from_, TestMeta(TestUlid(1)));
  PutBlock(from_, TestMeta(TestUlid(2)));
  ASSERT_TRUE(objstore::WriteObject(from_, TestUlid(1).ToString() + "/deletion-mark.json", "{}", Cancel()).ok());
  ASSERT_TRUE(objstore::WriteObject(from_, TestUlid(3).ToString() + "/index", "partial", Cancel()).ok());
  ASSERT_TRUE(Run().ok());
  auto expected = from_.objects();
  expected.erase(TestUlid(1).ToString() + "/deletion-mark.json");
  expected.erase(TestUlid(3).ToString() + "/index");
  EXPECT_EQ(to_.objects(), expected);
  EXPECT_TRUE(Has("thanos_replicate_blocks_replicated_total 2"));
  EXPECT_TRUE(Has("thanos_replicate_objects_replicated_total 6"));
  ASSERT_TRUE(Run().ok());
  EXPECT_TRUE(Has("thanos_replicate_blocks_already_replicated_total 2"));
  EXPECT_TRUE(Has("thanos_replicate_replication_runs_total{result=\"success\"} 2"));
  EXPECT_TRUE(Has("thanos_replicate_replication_runs_total{result=\"error\"} 0"));
}

TEST_F(ReplicatorTest, MetaComesLastAndABreakIsGoneOnFrom) {
  PutBlock(from_, TestMeta(TestUlid(1)));
  to_.SetFault([](std::string_view operation, const std::string& name) {
    return operation == "upload" && name.ends_with("/index") ? Status(Code::kUnavailable, "down") : Status();
  });
  EXPECT_FALSE(Run().ok());
  EXPECT_FALSE(to_.objects().contains(TestUlid(1).ToString() + "/meta.json"));
  EXPECT_TRUE(Has("thanos_replicate_replication_runs_total{result=\"error\"} 1"));
  to_.SetFault(nullptr);
  int64_t uploads = to_.calls().at("upload");
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(to_.objects(), from_.objects());
  EXPECT_LE(to_.calls().at("upload") - uploads, 3);
}

TEST_F(ReplicatorTest, FilterChoosesByLabelsResolutionLevelOrId) {
  Meta meta = TestMeta(TestUlid(1), 0, 1, {{"cluster", "eu"}});
  ReplicationFilter all;
  EXPECT_TRUE(all.Matches(meta));
  EXPECT_TRUE((ReplicationFilter{.matchers = {Matcher::Equal("cluster", "eu")}}.Matches(meta)));
  EXPECT_FALSE((ReplicationFilter{.matchers = {Matcher::Equal("cluster", "us")}}.Matches(meta)));
  EXPECT_FALSE((ReplicationFilter{.resolutions_ms = {300'000}}.Matches(meta)));
  EXPECT_FALSE((ReplicationFilter{.levels = {2}}.Matches(meta)));
  EXPECT_TRUE((ReplicationFilter{.ids = {TestUlid(1)}, .levels = {2}}.Matches(meta)));
  EXPECT_FALSE((ReplicationFilter{.ids = {TestUlid(2)}}.Matches(meta)));
  meta.thanos.labels.clear();
  EXPECT_FALSE(all.Matches(meta));
}

}  // namespace
}  // namespace gauntlet::blocks
