#include "objstore/directories.h"

#include <gtest/gtest.h>

#include <atomic>

#include "io/fake_file_system.h"
#include "objstore/memory_bucket.h"

namespace gauntlet::objstore {
namespace {

class DirectoriesTest : public testing::Test {
 protected:
  void Write(const std::string& path, const std::string& bytes) {
    ASSERT_TRUE(files_.MakeDirectories(path.substr(0, path.rfind('/'))).ok());
    ASSERT_TRUE(files_.WriteAtomically(path, bytes).ok());
  }
  io::FakeFileSystem files_;
  MemoryBucket bucket_;
  ThreadPool pool_{"test", 4};
};

TEST_F(DirectoriesTest, UploadAndDownloadAreInverse) {
  Write("/src/meta.json", "{}");
  Write("/src/index", "index");
  Write("/src/chunks/000001", "one");
  Write("/src/chunks/000002", "two");
  ASSERT_TRUE(UploadDirectory(bucket_, files_, pool_, "/src", "01A", {.concurrency = 3}, Cancel()).ok());
  EXPECT_EQ(bucket_.objects(), (std::map<std::string, std::string>{{"01A/chunks/000001", "one"},
                                                                   {"01A/chunks/000002", "two"},
                                                                   {"01A/index", "index"},
                                                                   {"01A/meta.json", "{}"}}));
  DirectoryOptions options;
  options.concurrency = 2;
  options.skip = [](std::string_view name) { return name == "index"; };
  ASSERT_TRUE(DownloadDirectory(bucket_, files_, pool_, "01A", "/dst", options, Cancel()).ok());
  EXPECT_EQ(*files_.ReadFile("/dst/chunks/000002"), "two");
  EXPECT_EQ(*files_.ReadFile("/dst/meta.json"), "{}");
  EXPECT_FALSE(files_.Exists("/dst/index"));
}

TEST_F(DirectoriesTest, AFileBesideIsNotInTheWayOfADownload) {
  ASSERT_TRUE(WriteObject(bucket_, "d/1", "one", Cancel()).ok());
  ASSERT_TRUE(files_.MakeDirectories("/dst").ok());
  ASSERT_TRUE(files_.WriteAtomically("/dst/1.tmp", "an object of this name").ok());
  ASSERT_TRUE(DownloadFile(bucket_, files_, "d/1", "/dst/1", Cancel()).ok());
  EXPECT_EQ(*files_.ReadFile("/dst/1"), "one");
  EXPECT_EQ(*files_.ReadFile("/dst/1.tmp"), "an object of this name");
}

TEST_F(DirectoriesTest, FailedDownloadLeavesNoFiles) {
  for (const char* name : {"d/a", "d/b", "d/c"}) ASSERT_TRUE(WriteObject(bucket_, name, name, Cancel()).ok());
  bucket_.SetFault([](std::string_view operation, const std::string& name) {
    return operation == "get" && name == "d/b" ? Status(Code::kUnavailable, "down") : Status();
  });
  Status status = DownloadDirectory(bucket_, files_, pool_, "d", "/dst", {}, Cancel());
  EXPECT_EQ(status.message(), "download d/b: down");
  EXPECT_TRUE(files_.List("/dst")->empty());
}

TEST_F(DirectoriesTest, ConcurrencyIsALimitAndTheFirstErrorEndsTheRest) {
  std::atomic<int> running{0}, most{0}, ran{0};
  EXPECT_TRUE(ForEachConcurrently(pool_, 50, 3, Cancel(), [&](size_t, const Cancel&) {
                int now = ++running;
                for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
                }
                ++ran;
                --running;
                return Status();
              }).ok());
  EXPECT_EQ(ran, 50);
  EXPECT_LE(most, 3);
  ran = 0;
  Status status = ForEachConcurrently(pool_, 50, 1, Cancel(), [&](size_t i, const Cancel&) {
    ++ran;
    return i == 4 ? Status(Code::kCorrupt, "four") : Status();
  });
  EXPECT_EQ(status.message(), "four");
  EXPECT_EQ(ran, 5);
}

}  // namespace
}  // namespace gauntlet::objstore
