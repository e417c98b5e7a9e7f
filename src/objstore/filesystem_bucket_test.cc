#include "objstore/filesystem_bucket.h"

#include <gtest/gtest.h>

#include "io/fake_file_system.h"
#include "objstore/sources.h"

namespace gauntlet::objstore {
namespace {

std::string Read(Bucket& bucket, const std::string& name) {
  Result<std::string> bytes = ReadObject(bucket, name, Cancel());
  return bytes.ok() ? *bytes : std::string(CodeName(bytes.status().code()));
}

TEST(FilesystemBucket, NameHasTheCleanPath) {
  io::FakeFileSystem files;
  EXPECT_EQ(FilesystemBucket(files, "/a/./b/../c//").name(), "fs: /a/c");
  EXPECT_TRUE(FilesystemBucket(files, "x").name().ends_with("/x"));
}

TEST(FilesystemBucket, WhatWasAcknowledgedSurvivesAPowerCut) {
  io::FakeFileSystem files;
  FilesystemBucket bucket(files, "/bucket");
  ASSERT_TRUE(WriteObject(bucket, "01A/chunks/000001", "chunk", Cancel()).ok());
  ASSERT_TRUE(WriteObject(bucket, "01A/meta.json", "one", Cancel()).ok());
  ASSERT_TRUE(WriteObject(bucket, "01A/meta.json", "two", Cancel()).ok());
  ASSERT_TRUE(bucket.Delete("01A/chunks/000001", Cancel()).ok());
  files.Crash();
  EXPECT_EQ(Read(bucket, "01A/meta.json"), "two");
  EXPECT_EQ(Read(bucket, "01A/chunks/000001"), "not found");
}

TEST(FilesystemBucket, PowerCutAtEachCallLeavesOldOrNew) {
  for (int64_t n = 1;; ++n) {
    io::FakeFileSystem files;
    FilesystemBucket bucket(files, "/bucket");
    ASSERT_TRUE(WriteObject(bucket, "d/o", "old bytes", Cancel()).ok());
    files.FailCall(n, Status(Code::kUnavailable, "the disk"), true);
    Status status = WriteObject(bucket, "d/o", "new bytes!", Cancel());
    files.FailNone();
    files.Crash();
    std::string found = Read(bucket, "d/o");
    if (status.ok()) {
      EXPECT_EQ(found, "new bytes!");
      break;
    }
    EXPECT_TRUE(found == "old bytes" || found == "new bytes!") << n << ": " << found;
  }
}

TEST(FilesystemBucket, UnfinishedUploadsAreNotListed) {
  io::FakeFileSystem files;
  FilesystemBucket bucket(files, "/bucket");
  ASSERT_TRUE(WriteObject(bucket, "a", "1", Cancel()).ok());
  ASSERT_TRUE(files.Create("/bucket/.gauntlet-uploads/01ARZ3NDEKTSV4RRFFQ69G5FAV").ok());
  std::string names;
  ASSERT_TRUE(bucket
                  .Iter("", {.recursive = true}, Cancel(),
                        [&](const ObjectEntry& entry) {
                          names += std::string(entry.name) + " ";
                          return Status();
                        })
                  .ok());
  EXPECT_EQ(names, "a ");
  // A day later it goes with the next upload of another process; the fake's times are of 1970.
  FilesystemBucket later(files, "/bucket");
  ASSERT_TRUE(WriteObject(later, "b", "1", Cancel()).ok());
  EXPECT_TRUE(files.List("/bucket/.gauntlet-uploads")->empty());
}

TEST(FilesystemBucket, EmptyDirectoriesAreGoneOrUnseen) {
  io::FakeFileSystem files;
  FilesystemBucket bucket(files, "/bucket");
  ASSERT_TRUE(WriteObject(bucket, "d/e/o", "1", Cancel()).ok());
  ASSERT_TRUE(files.MakeDirectories("/bucket/empty/inside").ok());
  ASSERT_TRUE(bucket.Delete("d/e/o", Cancel()).ok());
  EXPECT_FALSE(files.Exists("/bucket/d"));
  EXPECT_TRUE(files.Exists("/bucket"));
  auto none = [](const ObjectEntry& entry) { return Status(Code::kInternal, std::string(entry.name)); };
  EXPECT_TRUE(bucket.Iter("", {}, Cancel(), none).ok());
}

TEST(FilesystemBucket, AFoldedDirectoryIsOneEntryIfThereIsAnythingInIt) {
  io::FakeFileSystem files;
  FilesystemBucket bucket(files, "/bucket");
  for (const char* name : {"a/chunks/1", "a/chunks/2", "a/meta", "b/chunks/1", "chunks/1"})
    ASSERT_TRUE(WriteObject(bucket, name, "1", Cancel()).ok());
  ASSERT_TRUE(files.MakeDirectories("/bucket/c/chunks").ok());
  IterOptions options{.recursive = true, .attributes = true};
  options.fold = [](std::string_view dir) { return dir.ends_with("/chunks/"); };
  std::string names;
  auto tell = [&](const ObjectEntry& entry) {
    EXPECT_EQ(entry.bytes, entry.is_directory() ? 0u : 1u);
    names += std::string(entry.name) + " ";
    return Status();
  };
  ASSERT_TRUE(bucket.Iter("", options, Cancel(), tell).ok());
  EXPECT_EQ(names, "a/chunks/ a/meta b/chunks/ chunks/1 ");
}

TEST(FilesystemBucket, DirectoriesAreNoObjects) {
  io::FakeFileSystem files;
  FilesystemBucket bucket(files, "/bucket");
  ASSERT_TRUE(WriteObject(bucket, "d/o", "1", Cancel()).ok());
  EXPECT_EQ(Read(bucket, "d"), "not found");
  EXPECT_EQ(bucket.Attributes("d", Cancel()).status().code(), Code::kNotFound);
  EXPECT_FALSE(bucket.Delete("d", Cancel()).ok() && !files.Exists("/bucket/d/o"));
}

}  // namespace
}  // namespace gauntlet::objstore
