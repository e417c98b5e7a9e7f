#include "blocks/header_object.h"

#include <gtest/gtest.h>

#include "blocks/index_header.h"
#include "io/fake_file_system.h"
#include "objstore/memory_bucket.h"
#include "tsdb/chunkenc/testing/golden_chunks.h"

namespace gauntlet::blocks {
namespace {

constexpr char kId[] = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

class HeaderObject : public ::testing::Test {
 protected:
  void SetUp() override {
    if (tsdb::GoldenFolder().empty()) GTEST_SKIP() << "no shared golden data";
    index_ = *io::RealFileSystem().ReadFile(tsdb::GoldenFolder() + "/blocks/many-2h/index");
    recorded_ = *io::RealFileSystem().ReadFile(tsdb::GoldenFolder() + "/index-header/many-2h");
    ASSERT_TRUE(files_.MakeDirectories(dir_).ok());
    ASSERT_TRUE(files_.MakeDirectories("data").ok());
    ASSERT_TRUE(files_.WriteAtomically(dir_ + "/index", index_).ok());
  }
  Status Upload() { return UploadIndexHeader(bucket_, files_, dir_, Cancel()); }
  Status Download(uint64_t index_bytes) {
    return DownloadIndexHeader(bucket_, files_, *Ulid::Parse(kId), index_bytes, "data/index-header", Cancel());
  }
  std::string Object() { return bucket_.objects()[name_]; }
  void Put(const std::string& bytes) { ASSERT_TRUE(objstore::WriteObject(bucket_, name_, bytes, Cancel()).ok()); }

  const std::string dir_ = std::string("staging/") + kId, name_ = std::string(kId) + "/gauntlet.index-header";
  std::string index_, recorded_;
  io::FakeFileSystem files_;
  objstore::MemoryBucket bucket_;
};

TEST_F(HeaderObject, ComesBackAsTheHeaderOfItsIndex) {
  Status uploaded = Upload();
  ASSERT_TRUE(uploaded.ok()) << uploaded.message();
  EXPECT_EQ(files_.List(dir_)->size(), 1u);  // the index alone
  EXPECT_LT(Object().size(), recorded_.size());
  Status fetched = Download(index_.size());
  ASSERT_TRUE(fetched.ok()) << fetched.message();
  EXPECT_TRUE(*files_.ReadFile("data/index-header") == recorded_);
  EXPECT_EQ(files_.List("data")->size(), 1u);
}

TEST_F(HeaderObject, OfAnotherIndexOrOfNoneIsRefused) {
  EXPECT_EQ(Download(index_.size()).code(), Code::kNotFound);
  ASSERT_TRUE(Upload().ok());
  EXPECT_EQ(Download(index_.size() + 1).code(), Code::kCorrupt);
  EXPECT_TRUE(files_.List("data")->empty());
}

TEST_F(HeaderObject, CutAnywhereOrFlippedAnywhereIsRefused) {
  ASSERT_TRUE(Upload().ok());
  std::string good = Object();
  size_t step = std::max<size_t>(good.size() / 2000, 1);
  for (size_t cut = 0; cut < good.size(); cut += cut < 100 ? 1 : step) {
    Put(good.substr(0, cut));
    ASSERT_FALSE(Download(index_.size()).ok()) << cut;
  }
  for (size_t at = 0; at < good.size(); at += at < 100 ? 1 : step) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ (1 << (at % 8)));
    Put(bad);
    ASSERT_FALSE(Download(index_.size()).ok()) << at;
  }
  Put(good + "x");
  EXPECT_EQ(Download(index_.size()).code(), Code::kCorrupt);
  EXPECT_TRUE(files_.List("data")->empty());
}

TEST_F(HeaderObject, AnIndexThatIsNoneIsToldAndLeavesNothing) {
  ASSERT_TRUE(files_.WriteAtomically(dir_ + "/index", "no index").ok());
  EXPECT_EQ(Upload().code(), Code::kCorrupt);
  EXPECT_TRUE(bucket_.objects().empty());
  EXPECT_EQ(files_.List(dir_)->size(), 1u);
}

}  // namespace
}  // namespace gauntlet::blocks
