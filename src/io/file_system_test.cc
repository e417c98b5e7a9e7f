#include "io/file_system.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

#include "io/direct_file.h"
#include "io/fake_file_system.h"
#include "io/path.h"

namespace gauntlet::io {
namespace {

// What both file systems promise.
class FileSystemContract : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (GetParam()) {
      char pattern[] = "/tmp/gauntlet_io_XXXXXX";
      ASSERT_NE(mkdtemp(pattern), nullptr);
      dir_ = pattern;
      fs_ = &RealFileSystem();
    } else {
      dir_ = "/data";
      fs_ = &fake_;
      ASSERT_TRUE(fs_->MakeDirectories(dir_).ok());
    }
  }
  void TearDown() override { EXPECT_TRUE(fs_->RemoveAll(dir_).ok()); }
  std::string At(std::string_view name) const { return JoinPath(dir_, name); }
  void Write(std::string_view name, std::string_view bytes) {
    auto file = fs_->Create(At(name));
    ASSERT_TRUE(file.ok()) << file.status().message();
    ASSERT_TRUE((*file)->Append(bytes).ok());
  }
  std::vector<std::string> Names(std::string_view name = "") {
    std::vector<std::string> names;
    auto files = fs_->List(name.empty() ? dir_ : At(name));
    EXPECT_TRUE(files.ok());
    for (const FileInfo& info : *files) names.push_back(info.name);
    return names;
  }

  FakeFileSystem fake_;
  FileSystem* fs_ = nullptr;
  std::string dir_;
};

TEST_P(FileSystemContract, WritesReadsAndAppends) {
  Write("a", "hello");
  EXPECT_EQ(*fs_->ReadFile(At("a")), "hello");
  auto file = *fs_->OpenAppend(At("a"));
  EXPECT_EQ(file->size(), 5u);
  ASSERT_TRUE(file->Append(" world").ok());
  ASSERT_TRUE(file->Sync().ok());
  EXPECT_EQ(file->size(), 11u);
  EXPECT_EQ(*fs_->ReadFile(At("a")), "hello world");
  EXPECT_EQ(fs_->ReadFile(At("a"), 10).status().code(), Code::kExhausted);
  EXPECT_EQ(*fs_->ReadFile(At("a"), 11), "hello world");
  Write("a", "");
  EXPECT_EQ(*fs_->ReadFile(At("a")), "");
}

TEST_P(FileSystemContract, OnlyEmptyDirectoriesAreRemovedAsSuch) {
  ASSERT_TRUE(fs_->MakeDirectories(At("d/e")).ok());
  Write("d/f", "x");
  EXPECT_EQ(fs_->RemoveEmptyDirectory(At("d")).code(), Code::kExists);
  EXPECT_TRUE(fs_->RemoveEmptyDirectory(At("d/e")).ok());
  EXPECT_EQ(Names("d"), (std::vector<std::string>{"f"}));
  EXPECT_EQ(fs_->RemoveEmptyDirectory(At("absent")).code(), Code::kNotFound);
}

TEST_P(FileSystemContract, RandomReadsAreExact) {
  Write("a", "0123456789");
  auto file = *fs_->OpenRandom(At("a"));
  EXPECT_EQ(file->size(), 10u);
  std::string bytes = "old";
  ASSERT_TRUE(file->Read(3, 4, &bytes).ok());
  EXPECT_EQ(bytes, "3456");
  char to[4] = "xyz";
  ASSERT_TRUE(file->ReadTo(8, 2, to).ok());
  EXPECT_EQ(std::string(to), "89z");
  ASSERT_TRUE(file->Read(10, 0, &bytes).ok());
  EXPECT_EQ(bytes, "");
  EXPECT_EQ(file->Read(8, 3, &bytes).code(), Code::kCorrupt);
  EXPECT_EQ(file->Read(11, 1, &bytes).code(), Code::kCorrupt);
}

// Pieces of all sizes, from memory that is aligned and that is not.
TEST_P(FileSystemContract, DirectFilesHaveAllBytesInOrder) {
  constexpr size_t kMemory = 3 << 20;
  AlignedBytes memory = MakeAligned(kMemory);
  for (size_t i = 0; i < kMemory; ++i) memory[i] = static_cast<char>(i * 31 + i / 4096);
  const std::vector<std::vector<std::pair<size_t, size_t>>> cases = {
      {},
      {{0, 5}},
      {{0, 4096}},
      {{0, 1 << 20}, {0, 1 << 20}, {1 << 20, 4096}},
      {{0, (1 << 20) + 100}, {0, 8192}, {7, 4096}, {4096, 100}},
      {{1, 3'000'000}, {4096, 4096}, {0, 0}, {0, 1}},
      {{8192, 2'000'000}, {8192, 1'000'000}, {3, 4093}, {4096, 40'960}},
  };
  for (const auto& pieces : cases) {
    std::string want;
    auto file = fs_->CreateDirect(At("direct"));
    ASSERT_TRUE(file.ok()) << file.status().message();
    for (auto [from, n] : pieces) {
      std::string_view piece(memory.get() + from, n);
      want += piece;
      ASSERT_TRUE((*file)->Append(piece).ok());
      EXPECT_EQ((*file)->size(), want.size());
    }
    ASSERT_TRUE((*file)->Sync().ok());
    EXPECT_TRUE(*fs_->ReadFile(At("direct")) == want);
    ASSERT_TRUE((*file)->Append("and more").ok());
    ASSERT_TRUE((*file)->Sync().ok());
    EXPECT_TRUE(*fs_->ReadFile(At("direct")) == want + "and more");
  }
  EXPECT_EQ(fs_->CreateDirect(At("no/where")).status().code(), Code::kNotFound);
}

TEST_P(FileSystemContract, MapsFilesAlsoEmptyOnes) {
  Write("a", "mapped");
  Write("b", "");
  auto map = *fs_->Map(At("a"));
  map->Advise(Access::kSequential);
  map->Advise(Access::kDontNeed, 2, 100);
  ASSERT_TRUE(fs_->RemoveFile(At("a")).ok());
  EXPECT_EQ(map->bytes(), "mapped");
  EXPECT_EQ((*fs_->Map(At("b")))->bytes(), "");
  EXPECT_EQ(fs_->Map(At("c")).status().code(), Code::kNotFound);
}

TEST_P(FileSystemContract, WritesAtomically) {
  ASSERT_TRUE(fs_->WriteAtomically(At("meta.json"), "one").ok());
  ASSERT_TRUE(fs_->WriteAtomically(At("meta.json"), "two").ok());
  EXPECT_EQ(*fs_->ReadFile(At("meta.json")), "two");
  EXPECT_EQ(Names(), (std::vector<std::string>{"meta.json"}));
  EXPECT_EQ(fs_->WriteAtomically(At("no/where"), "x").code(), Code::kNotFound);
}

TEST_P(FileSystemContract, ListsByNameWithKinds) {
  ASSERT_TRUE(fs_->MakeDirectories(At("d/e/f")).ok());
  ASSERT_TRUE(fs_->MakeDirectories(At("d/e")).ok());
  Write("b", "22");
  Write("a", "1");
  auto files = *fs_->List(dir_);
  ASSERT_EQ(files.size(), 3u);
  EXPECT_EQ(files[0].name, "a");
  EXPECT_EQ(files[1].bytes, 2u);
  EXPECT_FALSE(files[1].is_directory);
  EXPECT_TRUE(files[2].is_directory);
  EXPECT_GT(files[1].modified_ms, 0);
  EXPECT_EQ(fs_->List(At("none")).status().code(), Code::kNotFound);
  EXPECT_EQ(fs_->MakeDirectories(At("a")).code(), Code::kExists);
  EXPECT_EQ(fs_->Stat(At("d/e"))->name, "e");
  EXPECT_TRUE(fs_->Exists(At("a")));
  EXPECT_FALSE(fs_->Exists(At("z")));
}

TEST_P(FileSystemContract, RenamesOverFilesAndEmptyDirectories) {
  Write("a", "1");
  Write("b", "2");
  ASSERT_TRUE(fs_->Rename(At("a"), At("b")).ok());
  EXPECT_EQ(*fs_->ReadFile(At("b")), "1");
  ASSERT_TRUE(fs_->MakeDirectories(At("new/chunks")).ok());
  ASSERT_TRUE(fs_->MakeDirectories(At("old")).ok());
  ASSERT_TRUE(fs_->Rename(At("new"), At("old")).ok());
  EXPECT_EQ(Names("old"), (std::vector<std::string>{"chunks"}));
  ASSERT_TRUE(fs_->MakeDirectories(At("third")).ok());
  EXPECT_EQ(fs_->Rename(At("third"), At("old")).code(), Code::kExists);
  EXPECT_EQ(fs_->Rename(At("none"), At("x")).code(), Code::kNotFound);
}

TEST_P(FileSystemContract, RemovesFilesAndTrees) {
  Write("a", "1");
  ASSERT_TRUE(fs_->MakeDirectories(At("d/e")).ok());
  Write("d/e/f", "x");
  EXPECT_EQ(fs_->RemoveFile(At("b")).code(), Code::kNotFound);
  EXPECT_TRUE(fs_->RemoveFile(At("a")).ok());
  EXPECT_TRUE(fs_->RemoveAll(At("d")).ok());
  EXPECT_TRUE(fs_->RemoveAll(At("d")).ok());
  EXPECT_TRUE(Names().empty());
}

TEST_P(FileSystemContract, LinksShareBytesAndTruncateCuts) {
  Write("a", "12345");
  ASSERT_TRUE(fs_->Link(At("a"), At("b")).ok());
  EXPECT_EQ(fs_->Link(At("a"), At("b")).code(), Code::kExists);
  ASSERT_TRUE(fs_->Truncate(At("a"), 2).ok());
  EXPECT_EQ(*fs_->ReadFile(At("b")), "12");
  ASSERT_TRUE(fs_->Truncate(At("b"), 4).ok());
  EXPECT_EQ(*fs_->ReadFile(At("a")), std::string("12\0\0", 4));
  EXPECT_EQ(fs_->Truncate(At("c"), 0).code(), Code::kNotFound);
}

TEST_P(FileSystemContract, LocksExclude) {
  auto lock = fs_->Lock(At("lock"));
  ASSERT_TRUE(lock.ok());
  EXPECT_EQ(fs_->Lock(At("lock")).status().code(), Code::kUnavailable);
  lock->reset();
  EXPECT_TRUE(fs_->Lock(At("lock")).ok());
}

INSTANTIATE_TEST_SUITE_P(Both, FileSystemContract, testing::Values(false, true),
                         [](const auto& info) { return std::string(info.param ? "Real" : "Fake"); });

TEST(RealFileSystem, ReadsFilesThatDoNotTellTheirSize) {
  auto status = RealFileSystem().ReadFile("/proc/self/status");
  ASSERT_TRUE(status.ok());
  EXPECT_NE(status->find("VmRSS"), std::string::npos);
}

TEST(FakeFileSystem, CrashTakesWhatWasNotSynced) {
  FakeFileSystem fs;
  ASSERT_TRUE(fs.MakeDirectories("/d").ok());
  ASSERT_TRUE(fs.SyncDirectory("/").ok());
  auto kept = *fs.Create("/d/kept"), unnamed = *fs.Create("/d/unnamed");
  ASSERT_TRUE(kept->Append("synced").ok());
  ASSERT_TRUE(kept->Sync().ok());
  ASSERT_TRUE(fs.SyncDirectory("/d").ok());
  ASSERT_TRUE(kept->Append(" and not").ok());
  auto late = *fs.Create("/d/late");
  ASSERT_TRUE(late->Append("x").ok());
  ASSERT_TRUE(late->Sync().ok());  // the bytes, but not the name
  ASSERT_TRUE(fs.RemoveFile("/d/unnamed").ok());
  fs.Crash();
  EXPECT_EQ(*fs.ReadFile("/d/kept"), "synced");
  EXPECT_FALSE(fs.Exists("/d/late"));
  EXPECT_EQ(*fs.ReadFile("/d/unnamed"), "");  // removed, but that was not synced; its bytes never were
  EXPECT_EQ(kept->Append("more").code(), Code::kUnavailable);
  EXPECT_EQ(*fs.ReadFile("/d/kept"), "synced");
}

TEST(FakeFileSystem, ARenamedTreeIsOldOrNewAfterACrash) {
  for (bool synced : {false, true}) {
    FakeFileSystem fs;
    ASSERT_TRUE(fs.MakeDirectories("/d/tmp").ok());
    auto file = *fs.Create("/d/tmp/index");
    ASSERT_TRUE(file->Append("i").ok());
    ASSERT_TRUE(file->Sync().ok());
    for (const char* dir : {"/d/tmp", "/d", "/"}) ASSERT_TRUE(fs.SyncDirectory(dir).ok());
    ASSERT_TRUE(fs.Rename("/d/tmp", "/d/block").ok());
    if (synced) ASSERT_TRUE(fs.SyncDirectory("/d").ok());
    fs.Crash();
    EXPECT_EQ(*fs.ReadFile(synced ? "/d/block/index" : "/d/tmp/index"), "i");
    EXPECT_FALSE(fs.Exists(synced ? "/d/tmp" : "/d/block"));
  }
}

// Whichever call fails, and whether or not the power fails after it, the file is whole.
TEST(FakeFileSystem, AtomicWritesSurviveEveryFailure) {
  for (int64_t n = 1;; ++n) {
    FakeFileSystem fs;
    ASSERT_TRUE(fs.MakeDirectories("/d").ok());
    ASSERT_TRUE(fs.SyncDirectory("/").ok());
    ASSERT_TRUE(fs.WriteAtomically("/d/f", "old").ok());
    int64_t before = fs.calls();
    fs.FailCall(n, Status(Code::kExhausted, "disk full"));
    Status status = fs.WriteAtomically("/d/f", "new content");
    fs.FailNone();
    if (status.ok()) {
      EXPECT_LT(fs.calls() - before, n);
      EXPECT_GE(n, 5);  // create, append, sync, rename, sync
      fs.Crash();
      EXPECT_EQ(*fs.ReadFile("/d/f"), "new content");
      break;
    }
    EXPECT_EQ(status.code(), Code::kExhausted);
    for (bool crash : {false, true}) {
      if (crash) fs.Crash();
      std::string content = *fs.ReadFile("/d/f");
      EXPECT_TRUE(content == "old" || content == "new content") << content;
    }
  }
}

TEST(FakeFileSystem, AFailedAppendLeavesHalfAndFailuresMayLast) {
  FakeFileSystem fs;
  auto file = *fs.Create("/f");
  fs.FailCall(1, Status(Code::kExhausted, "disk full"), true);
  EXPECT_FALSE(file->Append("12345678").ok());
  EXPECT_FALSE(file->Sync().ok());
  EXPECT_EQ(file->size(), 4u);
}

TEST(Path, JoinsAndSplits) {
  EXPECT_EQ(JoinPath("a", "b/c"), "a/b/c");
  EXPECT_EQ(JoinPath("a/", "b"), "a/b");
  EXPECT_EQ(JoinPath("", "b"), "b");
  EXPECT_EQ(JoinPath("a", "/b"), "/b");
  EXPECT_EQ(BaseName("a/b/c"), "c");
  EXPECT_EQ(BaseName("a/b/"), "b");
  EXPECT_EQ(BaseName("c"), "c");
  EXPECT_EQ(BaseName("/"), "/");
  EXPECT_EQ(DirName("a/b/c"), "a/b");
  EXPECT_EQ(DirName("a/b/"), "a");
  EXPECT_EQ(DirName("c"), ".");
  EXPECT_EQ(DirName("/c"), "/");
}

}  // namespace
}  // namespace gauntlet::io
