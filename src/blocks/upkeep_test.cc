#include "blocks/upkeep.h"

#include <gtest/gtest.h>

#include "blocks/block_objects.h"
#include "blocks/testing/block_fixture.h"
#include "objstore/memory_bucket.h"

namespace gauntlet::blocks {
namespace {

using std::chrono::hours;

class UpkeepTest : public testing::Test {
 protected:
  bool Has(const Ulid& id) {
    for (const auto& [name, bytes] : bucket_.objects()) {
      if (name.starts_with(id.ToString())) return true;
    }
    return false;
  }
  SimulatedClock clock_{1'767'607'872'123};
  objstore::MemoryBucket bucket_{clock_};
  ThreadPool pool_{"test", 4};
  UpkeepContext context_{bucket_, pool_, clock_, telemetry::Logger::Discard()};
  const int64_t now_s_ = clock_.NowMs() / 1000;
};

TEST_F(UpkeepTest, MarkedBlocksGoAfterTheDelayAndOneThatFailsStopsNoOther) {
  std::map<Ulid, Marker> marks;
  for (uint8_t i = 1; i <= 4; ++i) {
    PutBlock(bucket_, TestMeta(TestUlid(i)));
    marks[TestUlid(i)] = {TestUlid(i), "", now_s_ - (i == 1 ? 3600 : 50 * 3600), ""};
  }
  bucket_.SetFault([](std::string_view operation, const std::string& name) {
    return operation == "delete" && name.starts_with(TestUlid(3).ToString()) ? Status(Code::kUnavailable, "down")
                                                                             : Status();
  });
  UpkeepResult result = DeleteMarkedBlocks(context_, marks, hours(48), Cancel());
  EXPECT_EQ(result.done, (std::vector<Ulid>{TestUlid(2), TestUlid(4)}));
  EXPECT_EQ(result.failed, 1);
  EXPECT_NE(result.first_error.message().find(TestUlid(3).ToString()), std::string::npos);
  EXPECT_TRUE(Has(TestUlid(1)));
  EXPECT_FALSE(Has(TestUlid(2)));
  EXPECT_TRUE(Has(TestUlid(3)));
}

TEST_F(UpkeepTest, ADeletionThatWasBrokenOffIsFinished) {
  for (uint8_t i = 1; i <= 3; ++i) PutBlock(bucket_, TestMeta(TestUlid(i)));
  for (uint8_t i : {1, 3})
    ASSERT_TRUE(SetMarker(bucket_, MarkerKind::kDeletion, {TestUlid(i), "", now_s_ - 90'000, ""}, Cancel()).ok());
  bucket_.SetFault([](std::string_view operation, const std::string& name) {
    return operation == "delete" && name.ends_with("/index") ? Status(Code::kUnavailable, "down") : Status();
  });
  EXPECT_FALSE(DeleteBlock(bucket_, TestUlid(1), Cancel()).ok());
  bucket_.SetFault(nullptr);
  Status none(Code::kNotFound, "no meta"), bad(Code::kCorrupt, "bad");
  std::map<Ulid, Status> partial = {{TestUlid(1), none}, {TestUlid(2), none}, {TestUlid(3), bad}};
  std::map<Ulid, Marker> begun = BrokenOffDeletions(context_, partial, Cancel());
  EXPECT_EQ(begun.size(), 1u);
  EXPECT_TRUE(DeleteMarkedBlocks(context_, begun, hours(48), Cancel()).done.empty());  // not yet
  EXPECT_EQ(DeleteMarkedBlocks(context_, begun, hours(24), Cancel()).done, std::vector<Ulid>{TestUlid(1)});
  EXPECT_FALSE(Has(TestUlid(1)));
}

TEST_F(UpkeepTest, PartialUploadsGoByTheirNewestObject) {
  auto put = [&](uint8_t n, const std::string& file, int64_t age_hours) {
    std::string name = TestUlid(n).ToString() + "/" + file;
    ASSERT_TRUE(objstore::WriteObject(bucket_, name, "x", Cancel()).ok());
    bucket_.SetModified(name, clock_.NowMs() - age_hours * 3'600'000);
  };
  put(1, "chunks/000001", 100);
  put(1, "index", 50);
  put(2, "chunks/000001", 100);
  put(2, "index", 47);  // still growing
  put(3, "meta.json", 100);
  put(4, "index", 100);
  put(5, "index", 100);
  put(5, "deletion-mark.json", 100);
  Status none(Code::kNotFound, "no meta"), bad(Code::kCorrupt, "bad");
  std::map<Ulid, Status> partial = {
      {TestUlid(1), none}, {TestUlid(2), none}, {TestUlid(3), bad}, {TestUlid(4), none}, {TestUlid(5), none}};
  std::map<Ulid, Marker> marks = {{TestUlid(4), {TestUlid(4), "", 1, ""}}};
  UpkeepResult result = CleanPartialUploads(context_, partial, marks, kPartialUploadAge, Cancel());
  EXPECT_EQ(result.done, std::vector<Ulid>{TestUlid(1)});
  EXPECT_TRUE(Has(TestUlid(2)) && Has(TestUlid(3)) && Has(TestUlid(4)) && Has(TestUlid(5)));
}

TEST_F(UpkeepTest, RetentionMarksByResolution) {
  MetaMap metas;
  auto add = [&](uint8_t n, int64_t age_hours, int64_t resolution) {
    Meta meta = TestMeta(TestUlid(n), 0, clock_.NowMs() - age_hours * 3'600'000);
    meta.thanos.resolution_ms = resolution;
    PutBlock(bucket_, meta);
    metas[TestUlid(n)] = std::make_shared<Meta>(meta);
  };
  add(1, 49, 0);
  add(2, 47, 0);
  add(3, 49, 300'000);
  add(4, 1000, 3'600'000);
  UpkeepResult result =
      ApplyRetention(context_, metas, {{0, hours(48)}, {300'000, hours(100)}, {3'600'000, hours(0)}}, Cancel());
  EXPECT_EQ(result.done, std::vector<Ulid>{TestUlid(1)});
  auto mark = ReadMarker(bucket_, MarkerKind::kDeletion, TestUlid(1), Cancel());
  ASSERT_TRUE(mark.ok());
  EXPECT_EQ(mark->details, "block exceeding retention of 48h0m0s");
  EXPECT_EQ(mark->time_s, now_s_);
  // Again: it is marked already.
  EXPECT_TRUE(ApplyRetention(context_, metas, {{0, hours(48)}}, Cancel()).done.empty());
}

}  // namespace
}  // namespace gauntlet::blocks
