#include "blockstream/segment_upload.h"

#include <gtest/gtest.h>

#include "base/executor.h"
#include "blockstream/testing/segment_bytes.h"
#include "objstore/memory_bucket.h"

namespace gauntlet::blockstream {
namespace {

class SegmentUploadTest : public ::testing::Test {
 protected:
  objstore::MemoryBucket bucket_;
  ThreadPool pool_{"test", 4};
};

TEST_F(SegmentUploadTest, GoesOnWhileItIsWritten) {
  SegmentUpload upload(bucket_, "x/chunks/000001", pool_, 2 << 20, Cancel());
  const std::string want = SegmentOf(20'000);
  ASSERT_GT(want.size(), 5u << 20);
  for (size_t at = 0, n = 1; at < want.size(); at += n, n = n * 7 % 10'007) {
    ASSERT_TRUE(upload.Append(std::string_view(want).substr(at, n)).ok());
  }
  EXPECT_EQ(bucket_.objects().size(), 0u);
  ASSERT_TRUE(upload.Sync().ok());
  EXPECT_EQ(upload.size(), want.size());
  EXPECT_EQ(upload.chunks(), 20'000u);
  EXPECT_TRUE(bucket_.objects()["x/chunks/000001"] == want);
}

TEST_F(SegmentUploadTest, OfWhatIsNoSegmentFailsAndLeavesNothing) {
  std::string damaged = SegmentOf(10'000);
  damaged[damaged.size() / 2] ^= 4;
  for (const std::string& bytes : {std::string("text"), damaged, damaged.substr(0, damaged.size() / 2 - 700)}) {
    SegmentUpload upload(bucket_, "x", pool_, 8 << 20, Cancel());
    (void)upload.Append(bytes).ok();  // the upload may have ended before the last of them
    EXPECT_EQ(upload.Sync().code(), Code::kInternal);
  }
  EXPECT_TRUE(bucket_.objects().empty());
}

TEST_F(SegmentUploadTest, ThatIsLeftOrCancelledLeavesNothing) {
  {
    SegmentUpload upload(bucket_, "left", pool_, 100, Cancel());
  }
  {
    SegmentUpload upload(bucket_, "left", pool_, 100, Cancel());
    ASSERT_TRUE(upload.Append("begun").ok());
  }
  CancelSource source;
  SegmentUpload upload(bucket_, "cancelled", pool_, 10, source.cancel());
  ASSERT_TRUE(upload.Append("begun").ok());
  source.Stop();
  EXPECT_EQ(upload.Sync().code(), Code::kCancelled);
  EXPECT_TRUE(bucket_.objects().empty());
}

}  // namespace
}  // namespace gauntlet::blockstream
