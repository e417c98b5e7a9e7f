#include "discovery/directory_watch.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace gauntlet::discovery {
namespace {

namespace fs = std::filesystem;
using std::chrono::steady_clock;

class DirectoryWatchTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::canonical(fs::temp_directory_path()) / "directory-watch-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
  }
  void TearDown() override { fs::remove_all(root_); }

  std::string Path(const std::string& name) const { return root_ / name; }
  void Write(const std::string& name) const { std::ofstream(root_ / name) << "x"; }
  // inotify queues a change before the call that made it returns.
  bool Changed() { return watch_.Wait(steady_clock::now() + std::chrono::milliseconds(1), Cancel()); }

  fs::path root_;
  DirectoryWatch watch_;
};

TEST_F(DirectoryWatchTest, SeesFilesWrittenRenamedAndRemoved) {
  ASSERT_TRUE(watch_.Watch({root_}).ok());
  EXPECT_FALSE(Changed());
  Write("a");
  EXPECT_TRUE(Changed());
  fs::rename(root_ / "a", root_ / "b");
  EXPECT_TRUE(Changed());
  fs::remove(root_ / "b");
  EXPECT_TRUE(Changed());
  EXPECT_FALSE(Changed());
  EXPECT_GE(watch_.events(), 4u);
}

TEST_F(DirectoryWatchTest, FollowsTheNameWhenTheDirectoryIsReplaced) {
  fs::create_directory(root_ / "rules");
  ASSERT_TRUE(watch_.Watch({Path("rules")}).ok());
  fs::rename(root_ / "rules", root_ / "old");
  fs::create_directory(root_ / "rules");
  EXPECT_TRUE(Changed()) << "being moved away is a change";
  ASSERT_TRUE(watch_.Watch({Path("rules")}).ok());
  Write("old/a");
  EXPECT_FALSE(Changed());
  Write("rules/a");
  EXPECT_TRUE(Changed());
  EXPECT_EQ(watch_.size(), 1u);
}

TEST_F(DirectoryWatchTest, TwoNamesOfADirectoryAreIndependent) {
  fs::create_directory(root_ / "rules");
  fs::create_directory_symlink("rules", root_ / "alias");
  ASSERT_TRUE(watch_.Watch({Path("rules"), Path("alias")}).ok());
  ASSERT_TRUE(watch_.Watch({Path("rules")}).ok());
  Write("rules/a");
  EXPECT_TRUE(Changed());
}

TEST_F(DirectoryWatchTest, WhatIsMissingIsAnErrorUntilItIsThere) {
  EXPECT_FALSE(watch_.Watch({root_, Path("later")}).ok());
  EXPECT_EQ(watch_.size(), 1u);
  fs::create_directory(root_ / "later");
  EXPECT_TRUE(watch_.Watch({root_, Path("later")}).ok());
}

TEST_F(DirectoryWatchTest, LinksOnTheWayAreNamed) {
  fs::create_directories(root_ / "config/..1");
  Write("config/..1/p.yml");
  fs::create_directory_symlink("..1", root_ / "config/..data");
  fs::create_symlink("..data/p.yml", root_ / "config/p.yml");
  fs::create_directory(root_ / "etc");
  fs::create_symlink(root_ / "config/p.yml", root_ / "etc/p.yml");
  EXPECT_EQ(DirectoriesOnTheWay(Path("config/..1/p.yml")), std::set<std::string>{Path("config/..1")});
  EXPECT_EQ(DirectoriesOnTheWay(Path("etc/p.yml")),
            (std::set<std::string>{Path("etc"), Path("config"), Path("config/..1")}));
  EXPECT_EQ(DirectoriesOnTheWay(Path("etc/absent.yml")), std::set<std::string>{Path("etc")});
  EXPECT_EQ(DirectoriesOnTheWay("absent.yml"), std::set<std::string>{"."});
  EXPECT_EQ(DirectoriesOnTheWay("/absent.yml"), std::set<std::string>{"/"});
}

TEST_F(DirectoryWatchTest, LinksInACircleEnd) {
  fs::create_symlink("b", root_ / "a");
  fs::create_symlink("a", root_ / "b");
  EXPECT_EQ(DirectoriesOnTheWay(Path("a")), std::set<std::string>{root_});
}

}  // namespace
}  // namespace gauntlet::discovery
