#include "blocks/shipper.h"

#include <gtest/gtest.h>

#include "blocks/block_objects.h"
#include "blocks/testing/block_fixture.h"
#include "io/fake_file_system.h"
#include "objstore/memory_bucket.h"

namespace gauntlet::blocks {
namespace {

constexpr int64_t kHourMs = 3'600'000;

class ShipperTest : public testing::Test {
 protected:
  ShipperTest() { EXPECT_TRUE(files_.MakeDirectories("/tsdb").ok()); }
  void Start(ShipperOptions options = {}) {
    options.dir = "/tsdb";
    shipper_ = std::make_unique<Shipper>(
        std::move(options), bucket_, files_, pool_, clock_, [this] { return labels_; }, registry_,
        telemetry::Logger::Discard());
  }
  // The n-th block, of hours [2n, 2n+2).
  Ulid Local(uint8_t n, int64_t level = 1) {
    Meta meta = TestMeta(TestUlid(n), n * 2 * kHourMs, (n * 2 + 2) * kHourMs);
    meta.block.compaction.level = level;
    WriteRealBlock(files_, "/tsdb", meta);
    return TestUlid(n);
  }
  ShipResult Sync() { return shipper_->Sync(Cancel()); }
  bool InBucket(const Ulid& id) { return bucket_.objects().contains(id.ToString() + "/meta.json"); }
  Meta BucketMeta(const Ulid& id) { return *DownloadMeta(bucket_, id, Cancel()); }
  std::string Metric(const std::string& name) {
    std::string text = registry_.Expose(false);
    size_t at = text.find("\nthanos_shipper_" + name + " ");
    return at == std::string::npos
               ? "absent"
               : text.substr(text.find(' ', at) + 1, text.find('\n', at + 1) - text.find(' ', at) - 1);
  }

  io::FakeFileSystem files_;
  objstore::MemoryBucket bucket_;
  ThreadPool pool_{"test", 4};
  SimulatedClock clock_{1'767'607'872'123};
  telemetry::Registry registry_;
  std::map<std::string, std::string> labels_ = {{"cluster", "eu"}, {"replica", "a"}};
  std::unique_ptr<Shipper> shipper_;
};

TEST_F(ShipperTest, BlocksGoOnceWithTheirThanosSection) {
  Ulid second = Local(2), first = Local(1);
  Start({.hash_function = "SHA256"});
  EXPECT_EQ(Sync().uploaded, 2);
  Meta meta = BucketMeta(first);
  EXPECT_EQ(meta.thanos.labels, labels_);
  EXPECT_EQ(meta.thanos.source, "sidecar");
  EXPECT_EQ(meta.thanos.version, 0);  // as the sidecar of Thanos: none
  EXPECT_EQ(meta.thanos.segment_files, std::vector<std::string>{"000001"});
  ASSERT_EQ(meta.thanos.files.size(), 3u);
  EXPECT_EQ(meta.thanos.files[1].rel_path, "index");
  EXPECT_EQ(meta.thanos.files[1].hash.size(), 64u);
  EXPECT_EQ(meta.thanos.upload_time, "2026-01-05T10:11:12.123Z");
  EXPECT_EQ(bucket_.objects().at(first.ToString() + "/index"),
            *files_.ReadFile("/tsdb/" + first.ToString() + "/index"));
  EXPECT_EQ(*files_.ReadFile("/tsdb/thanos.shipper.json"), "{\n\t\"version\": 1,\n\t\"uploaded\": [\n\t\t\"" +
                                                               first.ToString() + "\",\n\t\t\"" + second.ToString() +
                                                               "\"\n\t]\n}\n");
  EXPECT_FALSE(files_.Exists("/tsdb/thanos/upload/" + first.ToString()));
  // The local meta stays Prometheus' own.
  EXPECT_EQ(files_.ReadFile("/tsdb/" + first.ToString() + "/meta.json")->find("thanos"), std::string::npos);
  auto before = bucket_.calls();
  EXPECT_EQ(Sync().uploaded, 0);
  EXPECT_EQ(bucket_.calls(), before);  // not even a question
  EXPECT_EQ(Metric("uploads_total"), "2");
  EXPECT_EQ(Metric("dir_syncs_total"), "2");
  EXPECT_EQ(Metric("upload_failures_total"), "0");
  EXPECT_EQ(Metric("upload_compacted_done"), "0");
}

TEST_F(ShipperTest, FileForgetsBlocksThatAreGone) {
  Ulid a = Local(1), b = Local(2);
  Start();
  Sync();
  ASSERT_TRUE(files_.RemoveAll("/tsdb/" + a.ToString()).ok());
  EXPECT_EQ(Sync().uploaded, 0);
  EXPECT_EQ(shipper_->UploadedBlocks(), std::set<Ulid>{b});
  ASSERT_TRUE(files_.RemoveAll("/tsdb/" + b.ToString()).ok());
  Sync();
  EXPECT_EQ(*files_.ReadFile("/tsdb/thanos.shipper.json"), "{\n\t\"version\": 1,\n\t\"uploaded\": null\n}\n");
}

TEST_F(ShipperTest, LostOrBrokenFileCostsOnlyQuestions) {
  Local(1);
  Start();
  Sync();
  int64_t uploads = bucket_.calls().at("upload");
  for (const char* text : {"{broken", "{\"version\":2}", ""}) {
    ASSERT_TRUE(files_.WriteAtomically("/tsdb/thanos.shipper.json", text).ok());
    EXPECT_EQ(Sync().uploaded, 0);
    EXPECT_EQ(bucket_.calls().at("upload"), uploads);
    EXPECT_EQ(shipper_->UploadedBlocks().size(), 1u);
  }
}

TEST_F(ShipperTest, ABadBlockIsPassedOverAndReported) {
  Ulid good = Local(3);
  ASSERT_TRUE(files_.MakeDirectories("/tsdb/" + TestUlid(1).ToString()).ok());
  ASSERT_TRUE(files_.WriteAtomically("/tsdb/" + TestUlid(1).ToString() + "/meta.json", "{broken").ok());
  Ulid no_index = Local(2);
  ASSERT_TRUE(files_.RemoveFile("/tsdb/" + no_index.ToString() + "/index").ok());
  Ulid cut = Local(4);
  std::string index = *files_.ReadFile("/tsdb/" + cut.ToString() + "/index");
  ASSERT_TRUE(files_.WriteAtomically("/tsdb/" + cut.ToString() + "/index", index.substr(0, index.size() / 2)).ok());
  Start();
  ShipResult result = Sync();
  EXPECT_EQ(result.uploaded, 1);
  EXPECT_EQ(result.corrupt, 1);
  EXPECT_EQ(result.failed, 2);
  EXPECT_FALSE(result.first_error.ok());
  EXPECT_TRUE(InBucket(good));
  EXPECT_FALSE(InBucket(no_index));
  EXPECT_FALSE(InBucket(cut));
  EXPECT_EQ(shipper_->UploadedBlocks(), std::set<Ulid>{good});
  EXPECT_EQ(Metric("corrupted_blocks_total"), "1");
  EXPECT_EQ(Metric("upload_failures_total"), "2");
  EXPECT_EQ(Metric("dir_sync_failures_total"), "1");
}

TEST_F(ShipperTest, TroubleWithTheBucketEndsThePassUnlessOrderDoesNotMatter) {
  Ulid a = Local(1), b = Local(2);
  bucket_.SetFault([&](std::string_view operation, const std::string& name) {
    return operation == "upload" && name == a.ToString() + "/index" ? Status(Code::kUnavailable, "down") : Status();
  });
  Start();
  EXPECT_EQ(Sync().uploaded, 0);
  EXPECT_FALSE(InBucket(b));
  Start({.allow_out_of_order = true});
  EXPECT_EQ(Sync().uploaded, 1);
  EXPECT_TRUE(InBucket(b));
  EXPECT_FALSE(InBucket(a));
  // And it goes on where it broke: the segment is not sent again.
  int64_t uploads = bucket_.calls().at("upload");
  bucket_.SetFault(nullptr);
  EXPECT_EQ(Sync().uploaded, 1);
  EXPECT_EQ(bucket_.calls().at("upload") - uploads, 3);  // index, index header, meta.json
  EXPECT_TRUE(InBucket(a));
}

TEST_F(ShipperTest, CompactedBlocksGoOnlyWhenAskedForAndWithoutOverlap) {
  Ulid compacted = Local(1, 2);
  Start();
  EXPECT_EQ(Sync().uploaded, 0);
  EXPECT_TRUE(shipper_->UploadedBlocks().empty());
  PutBlock(bucket_, TestMeta(TestUlid(50), 3 * kHourMs, 5 * kHourMs, labels_));
  Start({.upload_compacted = true});
  ShipResult result = Sync();
  EXPECT_EQ(result.uploaded, 0);
  EXPECT_NE(result.first_error.message().find("overlap spotted with " + TestUlid(50).ToString()), std::string::npos);
  // Of another Prometheus: no matter.
  PutBlock(bucket_, TestMeta(TestUlid(50), 3 * kHourMs, 5 * kHourMs, {{"cluster", "us"}}));
  EXPECT_EQ(Sync().uploaded, 1);
  EXPECT_TRUE(InBucket(compacted));
  EXPECT_EQ(Metric("upload_compacted_done"), "1");
}

TEST_F(ShipperTest, EmptyBlocksAndOtherDirectoriesStay) {
  Meta empty = TestMeta(TestUlid(1));
  empty.block.stats = {};
  WriteBlock(files_, "/tsdb", empty);
  ASSERT_TRUE(files_.MakeDirectories("/tsdb/wal").ok());
  ASSERT_TRUE(files_.MakeDirectories("/tsdb/" + TestUlid(2).ToString() + ".tmp-for-creation").ok());
  Start();
  ShipResult result = Sync();
  EXPECT_EQ(result.uploaded, 0);
  EXPECT_TRUE(result.first_error.ok()) << result.first_error.message();
  EXPECT_TRUE(bucket_.objects().empty());
}

TEST_F(ShipperTest, WithoutExternalLabelsNothingGoes) {
  Local(1);
  labels_.clear();
  Start();
  EXPECT_NE(Sync().first_error.message().find("empty external labels"), std::string::npos);
  EXPECT_TRUE(bucket_.objects().empty());
}

TEST_F(ShipperTest, PowerCutAtAnyCallLosesNoBlockAndShipsNoHalf) {
  for (int64_t n = 1; n < 200; ++n) {
    files_.FailCall(0, Status());
    ASSERT_TRUE(files_.RemoveAll("/tsdb").ok());
    ASSERT_TRUE(files_.MakeDirectories("/tsdb").ok());
    for (const auto& [name, bytes] : bucket_.objects()) ASSERT_TRUE(bucket_.Delete(name, Cancel()).ok());
    Ulid a = Local(1), b = Local(2);
    Start();
    files_.FailCall(n, Status(Code::kUnavailable, "the disk"), true);
    bool done = Sync().uploaded == 2;
    files_.FailNone();
    for (const Ulid& id : {a, b}) {
      if (!InBucket(id)) continue;
      for (const BlockFile& file : BucketMeta(id).thanos.files) {
        EXPECT_TRUE(bucket_.objects().contains(id.ToString() + "/" + file.rel_path)) << n;
      }
    }
    Start();
    Sync();
    EXPECT_TRUE(InBucket(a) && InBucket(b)) << n;
    EXPECT_EQ(shipper_->UploadedBlocks().size(), 2u) << n;
    if (done) break;
  }
}

TEST(ShipperFile, ReadsWhatThanosWrites) {
  auto ids = ParseShipperFile("{\n\t\"version\": 1,\n\t\"uploaded\": [\n\t\t\"01KE71EY6ZFKZTVJ4FRB7WMP81\"\n\t]\n}\n");
  ASSERT_TRUE(ids.ok());
  EXPECT_EQ(*ids, std::vector<Ulid>{*Ulid::Parse("01KE71EY6ZFKZTVJ4FRB7WMP81")});
  EXPECT_TRUE(ParseShipperFile("{\"version\":1,\"uploaded\":null}")->empty());
  for (const char* bad : {"", "[]", "{}", "{\"version\":1,\"uploaded\":[\"x\"]}", "{\"version\":1,\"uploaded\":{}}"}) {
    EXPECT_FALSE(ParseShipperFile(bad).ok()) << bad;
  }
}

}  // namespace
}  // namespace gauntlet::blocks
