#include "reloader/watched_files.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "io/compress.h"
#include "io/file_system.h"

namespace gauntlet::reloader {
namespace {

namespace fs = std::filesystem;

class WatchedFilesTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::canonical(fs::temp_directory_path()) / "watched-files-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
  }
  void TearDown() override { fs::remove_all(root_); }

  void Write(const std::string& name, const std::string& text) const {
    fs::create_directories((root_ / name).parent_path());
    std::ofstream(root_ / name, std::ios::binary) << text;
  }
  io::Sha256Digest Digest(const std::vector<std::string>& folders, const std::string& config = "") const {
    auto read = ReadWatched(io::RealFileSystem(), config, folders);
    EXPECT_TRUE(read.ok()) << read.status().message();
    return read.ok() ? read->digest : io::Sha256Digest{};
  }

  fs::path root_;
};

TEST_F(WatchedFilesTest, DigestFollowsNamesAndContents) {
  Write("rules/a.yml", "1");
  Write("rules/deep/b.yml", "2");
  auto first = Digest({root_ / "rules"});
  EXPECT_EQ(first, Digest({root_ / "rules"}));
  Write("rules/deep/b.yml", "3");
  auto changed = Digest({root_ / "rules"});
  EXPECT_NE(first, changed);
  fs::rename(root_ / "rules/a.yml", root_ / "rules/c.yml");
  EXPECT_NE(changed, Digest({root_ / "rules"}));
  EXPECT_NE(Digest({root_ / "rules"}), Digest({root_ / "rules"}, root_ / "rules/c.yml"));
}

TEST_F(WatchedFilesTest, KubernetesVersionsAreSeenThroughTheirLinksOnly) {
  Write("rules/..1/a.yml", "same");
  Write("rules/..1/sub/b.yml", "same");
  fs::create_directory_symlink("..1", root_ / "rules/..data");
  fs::create_symlink("..data/a.yml", root_ / "rules/a.yml");
  fs::create_directory_symlink("..data/sub", root_ / "rules/sub");
  auto first = Digest({root_ / "rules"});
  Write("rules/..2/a.yml", "same");
  Write("rules/..2/sub/b.yml", "same");
  EXPECT_EQ(Digest({root_ / "rules"}), first) << "a version that is not linked to";
  fs::create_directory_symlink("..2", root_ / "rules/..data_tmp");
  fs::rename(root_ / "rules/..data_tmp", root_ / "rules/..data");
  EXPECT_EQ(Digest({root_ / "rules"}), first) << "other files of the same contents";
  Write("rules/..2/sub/b.yml", "other");
  EXPECT_NE(Digest({root_ / "rules"}), first) << "through a linked folder";
  EXPECT_EQ(FoldersToWatch(io::RealFileSystem(), "", {root_ / "rules"}),
            (std::set<std::string>{root_ / "rules", root_ / "rules/..2", root_ / "rules/..2/sub"}));
}

TEST_F(WatchedFilesTest, ALinkWithoutTargetIsNeitherAnErrorNorAnEmptyFile) {
  fs::create_directory(root_ / "rules");
  auto none = Digest({root_ / "rules"});
  fs::create_symlink("gone", root_ / "rules/a.yml");
  auto dangling = Digest({root_ / "rules"});
  EXPECT_NE(dangling, none);
  Write("rules/gone", "");
  fs::rename(root_ / "rules/gone", root_ / "empty");
  fs::remove(root_ / "rules/a.yml");
  fs::create_symlink(root_ / "empty", root_ / "rules/a.yml");
  EXPECT_NE(Digest({root_ / "rules"}), dangling);
}

TEST_F(WatchedFilesTest, FoldersInACircleEnd) {
  Write("rules/a.yml", "1");
  fs::create_directory_symlink(".", root_ / "rules/again");
  auto first = Digest({root_ / "rules"});
  Write("rules/a.yml", "2");
  EXPECT_NE(Digest({root_ / "rules"}), first);
}

TEST_F(WatchedFilesTest, WhatIsMissingIsAnError) {
  auto& files = io::RealFileSystem();
  EXPECT_EQ(ReadWatched(files, root_ / "absent.yml", {}).status().code(), Code::kNotFound);
  EXPECT_EQ(ReadWatched(files, "", {root_ / "absent"}).status().code(), Code::kNotFound);
}

TEST(RenderConfig, FillsInVariablesOfPlainAndZippedText) {
  setenv("RELOADER_TEST_REPLICA", "a$(b)", 1);
  size_t unset = 7;
  for (const std::string& text : {std::string("x: $(RELOADER_TEST_REPLICA) $HOME ${HOME} $()"),
                                  io::GzipCompress("x: $(RELOADER_TEST_REPLICA) $HOME ${HOME} $()")}) {
    auto rendered = RenderConfig(text, &unset);
    ASSERT_TRUE(rendered.ok()) << rendered.status().message();
    EXPECT_EQ(*rendered, "x: a$(b) $HOME ${HOME} $()");
    EXPECT_EQ(unset, 0u);
  }
  EXPECT_EQ(*RenderConfig("", &unset), "");
}

TEST(RenderConfig, NamesEveryVariableThatIsNotSet) {
  size_t unset = 0;
  auto rendered = RenderConfig("$(RELOADER_TEST_NO) $(RELOADER_TEST_NO2) $(RELOADER_TEST_NO)", &unset);
  EXPECT_EQ(rendered.status().code(), Code::kInvalid);
  EXPECT_EQ(rendered.status().message(),
            "found reference to unset environment variable \"RELOADER_TEST_NO\", \"RELOADER_TEST_NO2\"");
  EXPECT_EQ(unset, 2u);
}

TEST(RenderConfig, BytesThatOnlyBeginLikeGzipAreAnError) {
  std::string zipped = io::GzipCompress("global: {}");
  size_t unset = 0;
  for (size_t n = 3; n < zipped.size(); ++n) {
    EXPECT_EQ(RenderConfig(std::string_view(zipped).substr(0, n), &unset).status().code(), Code::kCorrupt) << n;
  }
}

}  // namespace
}  // namespace gauntlet::reloader
