#include "store/index_header_file.h"

#include <gtest/gtest.h>

#include "blocks/header_object.h"
#include "io/fake_file_system.h"
#include "objstore/memory_bucket.h"
#include "tsdb/chunkenc/testing/golden_chunks.h"

namespace gauntlet::store {
namespace {

class IndexHeaderFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (tsdb::GoldenFolder().empty()) GTEST_SKIP() << "no shared golden data";
    index_ = *io::RealFileSystem().ReadFile(tsdb::GoldenFolder() + "/blocks/many-2h/index");
    recorded_ = *io::RealFileSystem().ReadFile(tsdb::GoldenFolder() + "/index-header/many-2h");
    ASSERT_TRUE(objstore::WriteObject(bucket_, id_ + "/index", index_, Cancel()).ok());
  }
  void PutHeader() {
    ASSERT_TRUE(files_.MakeDirectories("staging/" + id_).ok());
    ASSERT_TRUE(files_.WriteAtomically("staging/" + id_ + "/index", index_).ok());
    ASSERT_TRUE(blocks::UploadIndexHeader(bucket_, files_, "staging/" + id_, Cancel()).ok());
  }
  void ForbidIndex() {
    bucket_.SetFault([](std::string_view, const std::string& name) {
      return name.ends_with("/index") ? Status(Code::kDenied, "the index was read") : Status();
    });
  }
  Status Get(uint64_t index_bytes) {
    IndexHeaderFile file(bucket_, files_, "data", *Ulid::Parse(id_), index_bytes, metrics_);
    Status got = file.Get(Cancel()).status();
    if (got.ok()) EXPECT_TRUE(*files_.ReadFile("data/" + id_ + "/index-header") == recorded_);
    return got;
  }

  const std::string id_ = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
  std::string index_, recorded_;
  io::FakeFileSystem files_;
  objstore::MemoryBucket bucket_;
  telemetry::Registry registry_;
  IndexHeaderMetrics metrics_{registry_};
};

TEST_F(IndexHeaderFileTest, AReadyMadeHeaderSparesTheIndex) {
  PutHeader();
  ForbidIndex();
  Status got = Get(index_.size());
  EXPECT_TRUE(got.ok()) << got.message();
  EXPECT_EQ(metrics_.from_object.value(), 1);
  EXPECT_EQ(metrics_.from_index.value(), 0);
}

TEST_F(IndexHeaderFileTest, WithoutADirectoryItIsHeldInMemoryAndCharged) {
  MemoryBudget budget("process", 0);
  for (bool ready_made : {false, true}) {
    if (ready_made) PutHeader();
    IndexHeaderFile file(bucket_, files_, "", *Ulid::Parse(id_), 0, metrics_, &budget);
    EXPECT_TRUE(file.Prepare(Cancel()).ok());
    EXPECT_EQ(budget.used_bytes(), 0u);
    {
      auto tables = file.Get(Cancel());
      ASSERT_TRUE(tables.ok()) << tables.status().message();
      EXPECT_GT(tables->postings->names().size(), 0u);
      EXPECT_GE(budget.used_bytes(), recorded_.size());
      file.ReleaseIdle(std::chrono::steady_clock::now() + std::chrono::hours(1), false);
      EXPECT_FALSE(file.loaded());
      EXPECT_GE(budget.used_bytes(), recorded_.size());  // a call has it still
    }
    EXPECT_EQ(budget.used_bytes(), 0u);
  }
  EXPECT_EQ(metrics_.from_index.value(), 1);
  EXPECT_EQ(metrics_.from_object.value(), 1);
  EXPECT_FALSE(files_.Exists("data"));
}

TEST_F(IndexHeaderFileTest, WhatAFullDiskDoesNotTakeIsHeldInMemoryAndTheDiskTriedAgain) {
  MemoryBudget budget("process", 0);
  const auto later = std::chrono::steady_clock::now() + std::chrono::hours(1);
  for (bool ready_made : {false, true}) {
    if (ready_made) PutHeader();
    ASSERT_TRUE(files_.RemoveAll("data").ok());
    IndexHeaderFile file(bucket_, files_, "data", *Ulid::Parse(id_), index_.size(), metrics_, &budget);
    files_.FailCall(1, Status(Code::kExhausted, "No space left on device"), true);
    EXPECT_EQ(file.Prepare(Cancel()).code(), Code::kExhausted);
    auto tables = file.Get(Cancel());
    ASSERT_TRUE(tables.ok()) << tables.status().message();
    EXPECT_GT(tables->postings->names().size(), 0u);
    EXPECT_GE(budget.used_bytes(), recorded_.size());
    files_.FailNone();
    EXPECT_FALSE(files_.Exists("data/" + id_ + "/index-header"));
    file.ReleaseIdle(later, false);
    tables = Status(Code::kNotFound, "let go");
    EXPECT_EQ(budget.used_bytes(), 0u);
    ASSERT_TRUE(file.Get(Cancel()).ok());
    EXPECT_TRUE(*files_.ReadFile("data/" + id_ + "/index-header") == recorded_);
    EXPECT_EQ(budget.used_bytes(), 0u);
    file.ReleaseIdle(later, false);
    EXPECT_TRUE(file.loaded());
  }
  EXPECT_EQ(metrics_.disk_failures.value(), 4);
}

TEST_F(IndexHeaderFileTest, EachCallOfTheDiskMayFailAndTheHeaderIsThere) {
  for (int64_t n = 1;; ++n) {
    ASSERT_TRUE(files_.RemoveAll("data").ok());
    IndexHeaderFile file(bucket_, files_, "data", *Ulid::Parse(id_), index_.size(), metrics_);
    const int64_t before = files_.calls();
    files_.FailCall(n, Status(Code::kExhausted, "No space left on device"), true);
    auto tables = file.Get(Cancel());
    const int64_t calls = files_.calls() - before;
    files_.FailNone();
    ASSERT_TRUE(tables.ok()) << n << ": " << tables.status().message();
    if (calls < n) break;
    ASSERT_LT(n, 100);
  }
}

TEST_F(IndexHeaderFileTest, ABucketThatDoesNotAnswerIsNotTheDisk) {
  bucket_.SetFault([](std::string_view, const std::string&) { return Status(Code::kUnavailable, "503"); });
  IndexHeaderFile file(bucket_, files_, "data", *Ulid::Parse(id_), index_.size(), metrics_);
  EXPECT_EQ(file.Get(Cancel()).status().code(), Code::kUnavailable);
  EXPECT_EQ(metrics_.disk_failures.value(), 0);
}

TEST_F(IndexHeaderFileTest, AHeaderThatDoesNotFitIntoMemoryIsRefused) {
  MemoryBudget budget("process", recorded_.size() / 2);
  IndexHeaderFile file(bucket_, files_, "", *Ulid::Parse(id_), index_.size(), metrics_, &budget);
  EXPECT_EQ(file.Get(Cancel()).status().code(), Code::kExhausted);
  EXPECT_EQ(budget.used_bytes(), 0u);
}

TEST_F(IndexHeaderFileTest, WithoutOneTheHeaderIsMadeOfTheIndex) {
  EXPECT_TRUE(Get(index_.size()).ok());
  EXPECT_EQ(metrics_.from_index.value(), 1);
  EXPECT_TRUE(files_.RemoveAll("data").ok());
  EXPECT_TRUE(Get(0).ok());  // of an index whose size the meta does not say
}

TEST_F(IndexHeaderFileTest, AWrongOneIsLeftAlone) {
  PutHeader();
  std::string object = id_ + "/" + blocks::kHeaderObject, good = bucket_.objects()[object];
  for (size_t at : {size_t{0}, size_t{7}, size_t{30}, good.size() - 1}) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 4);
    ASSERT_TRUE(objstore::WriteObject(bucket_, object, bad, Cancel()).ok());
    ASSERT_TRUE(files_.RemoveAll("data").ok());
    EXPECT_TRUE(Get(index_.size()).ok()) << at;
  }
  EXPECT_EQ(metrics_.from_object.value(), 0);
  EXPECT_EQ(metrics_.from_index.value(), 4);
}

TEST_F(IndexHeaderFileTest, ADamagedFileComesAnew) {
  EXPECT_TRUE(Get(index_.size()).ok());
  std::string path = "data/" + id_ + "/index-header", bytes = recorded_;
  bytes[bytes.size() / 2] ^= 1;
  ASSERT_TRUE(files_.WriteAtomically(path, bytes).ok());
  EXPECT_TRUE(Get(index_.size()).ok());
  EXPECT_EQ(metrics_.from_index.value(), 2);
}

}  // namespace
}  // namespace gauntlet::store
