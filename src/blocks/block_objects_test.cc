#include "blocks/block_objects.h"

#include <gtest/gtest.h>

#include "blocks/markers.h"
#include "blocks/testing/block_fixture.h"
#include "io/fake_file_system.h"
#include "io/sha256.h"
#include "objstore/memory_bucket.h"

namespace gauntlet::blocks {
namespace {

class BlockObjectsTest : public testing::Test {
 protected:
  BlockObjectsTest() {
    WriteBlock(files_, "/data", TestMeta(id_));
    bucket_.SetFault([this](std::string_view operation, const std::string& name) {
      if (operation == "upload" || operation == "delete")
        log_.push_back(std::string(operation) + " " + name.substr(27));
      return !fail_.empty() && name.ends_with("/" + fail_) ? Status(Code::kUnavailable, "down") : Status();
    });
  }
  Status Upload(UploadBlockOptions options = {}) {
    return UploadBlock(bucket_, files_, pool_, clock_, dir_, options, Cancel());
  }

  io::FakeFileSystem files_;
  objstore::MemoryBucket bucket_;
  InlineExecutor pool_;
  SimulatedClock clock_{1'767'607'872'123};
  const Ulid id_ = TestUlid(1);
  const std::string dir_ = "/data/" + id_.ToString();
  std::vector<std::string> log_;
  std::string fail_;
};

TEST_F(BlockObjectsTest, MetaIsUploadedLastWithFilesAndTime) {
  ASSERT_TRUE(Upload({.hash_function = "SHA256"}).ok());
  EXPECT_EQ(log_, (std::vector<std::string>{"upload chunks/000001", "upload index", "upload meta.json"}));
  auto meta = DownloadMeta(bucket_, id_, Cancel());
  ASSERT_TRUE(meta.ok()) << meta.status().message();
  EXPECT_EQ(meta->thanos.upload_time, "2026-01-05T10:11:12.123Z");
  ASSERT_EQ(meta->thanos.files.size(), 3u);
  EXPECT_EQ(meta->thanos.files[0].rel_path, "chunks/000001");
  EXPECT_EQ(meta->thanos.files[0].bytes, 5);
  EXPECT_EQ(meta->thanos.files[0].hash, io::Sha256Hex("chunk"));
  EXPECT_EQ(meta->thanos.files[2].rel_path, "meta.json");
  EXPECT_EQ(meta->thanos.files[2].bytes, 0);
  // The directory's own meta stays as it was.
  EXPECT_EQ(files_.ReadFile(dir_ + "/meta.json")->find("files"), std::string::npos);
}

TEST_F(BlockObjectsTest, BrokenUploadHasNoMeta) {
  fail_ = "index";
  EXPECT_EQ(Upload().code(), Code::kUnavailable);
  EXPECT_EQ(bucket_.objects().count(id_.ToString() + "/meta.json"), 0u);
}

TEST_F(BlockObjectsTest, WithoutExternalLabelsItIsRefused) {
  WriteBlock(files_, "/data", TestMeta(id_, 0, 1, {}));
  EXPECT_EQ(Upload().message(), "empty external labels are not allowed for Thanos block.");
  EXPECT_TRUE(Upload({.check_labels = false}).ok());
}

TEST_F(BlockObjectsTest, DownloadSkipsFilesThatAreThere) {
  ASSERT_TRUE(Upload({.hash_function = "SHA256"}).ok());
  ASSERT_TRUE(DownloadBlock(bucket_, files_, pool_, id_, "/copy", 2, Cancel()).ok());
  EXPECT_EQ(*files_.ReadFile("/copy/chunks/000001"), "chunk");
  ASSERT_TRUE(files_.WriteAtomically("/copy/index", "broken").ok());
  int64_t before = bucket_.calls().at("get");
  ASSERT_TRUE(DownloadBlock(bucket_, files_, pool_, id_, "/copy", 2, Cancel()).ok());
  EXPECT_EQ(bucket_.calls().at("get") - before, 2);  // meta.json and the index
  EXPECT_EQ(*files_.ReadFile("/copy/index"), "index of " + id_.ToString());
}

TEST_F(BlockObjectsTest, DeletionStartsWithMetaAndEndsWithTheMark) {
  ASSERT_TRUE(Upload().ok());
  ASSERT_TRUE(SetMarker(bucket_, MarkerKind::kDeletion, {id_, "", 1, ""}, Cancel()).ok());
  log_.clear();
  fail_ = "index";
  EXPECT_FALSE(DeleteBlock(bucket_, id_, Cancel()).ok());
  EXPECT_TRUE(bucket_.objects().contains(id_.ToString() + "/deletion-mark.json"));
  fail_ = "";
  ASSERT_TRUE(DeleteBlock(bucket_, id_, Cancel()).ok());
  EXPECT_TRUE(bucket_.objects().empty());
  EXPECT_EQ(log_.front(), "delete meta.json");
  EXPECT_EQ(log_.back(), "delete deletion-mark.json");
}

TEST(BlockOfPath, TakesTheLastPart) {
  EXPECT_TRUE(BlockOfPath("01KE71EY6ZFKZTVJ4FRB7WMP81/").has_value());
  EXPECT_TRUE(BlockOfPath("a/01KE71EY6ZFKZTVJ4FRB7WMP81").has_value());
  for (const char* no : {"", "debug/", "01KE71EY6ZFKZTVJ4FRB7WMP81.tmp", "01KE71EY6ZFKZTVJ4FRB7WMP8U"}) {
    EXPECT_FALSE(BlockOfPath(no).has_value()) << no;
  }
}

}  // namespace
}  // namespace gauntlet::blocks
