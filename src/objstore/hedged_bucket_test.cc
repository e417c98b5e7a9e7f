#include "objstore/hedged_bucket.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>

#include "objstore/memory_bucket.h"

namespace gauntlet::objstore {
namespace {

class HedgedBucketTest : public ::testing::Test {
 protected:
  HedgedBucketTest() {
    auto inner = std::make_unique<MemoryBucket>();
    inner_ = inner.get();
    EXPECT_TRUE(WriteObject(*inner_, "a", "0123456789", Cancel()).ok());
    HedgingOptions options;
    options.enabled = true;
    options.up_to = 2;
    bucket_ = std::make_unique<HedgedBucket>(options, std::move(inner), pool_, &registry_);
  }
  ~HedgedBucketTest() override { Open(); }
  // So many answers that it is known how long one takes.
  void Learn() {
    for (int i = 0; i < 100; ++i) {
      ASSERT_EQ(*ReadRange(*bucket_, "a", 2, 3, Cancel()), "234");
      ASSERT_TRUE(*bucket_->Exists("a", Cancel()));
    }
  }
  // The next request waits for Open; those after it do not.
  void HoldTheNext() {
    inner_->SetFault([this](std::string_view, const std::string&) {
      std::unique_lock lock(mutex_);
      if (held_) return Status();
      held_ = true;
      changed_.wait(lock, [this] { return open_; });
      return Status(Code::kUnavailable, "too late");
    });
  }
  void Open() {
    std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  double Metric(const std::string& name) {
    std::string text = registry_.Expose(false);
    size_t at = text.find("\n" + name + " ");
    return at == std::string::npos ? -1 : std::stod(text.substr(at + name.size() + 2));
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool held_ = false, open_ = false;
  ThreadPool pool_{"test", 8};
  telemetry::Registry registry_;
  MemoryBucket* inner_ = nullptr;
  std::unique_ptr<HedgedBucket> bucket_;
};

TEST_F(HedgedBucketTest, ARequestThatHangsIsOvertaken) {
  Learn();
  HoldTheNext();
  EXPECT_EQ(*ReadRange(*bucket_, "a", 4, 3, Cancel()), "456");
  EXPECT_EQ(Metric("gauntlet_objstore_hedged_requests_won_total"), 1);
  EXPECT_GE(Metric("gauntlet_objstore_hedged_requests_total"), 1);
}

TEST_F(HedgedBucketTest, AttributesAndExistenceAreAskedAgainToo) {
  Learn();
  HoldTheNext();
  EXPECT_EQ(bucket_->Attributes("a", Cancel())->bytes, 10u);
  EXPECT_TRUE(*bucket_->Exists("a", Cancel()));
}

TEST_F(HedgedBucketTest, OfAWholeObjectTheRequestCountsWhoseBytesComeFirst) {
  for (int i = 0; i < 100; ++i) ASSERT_EQ(*ReadObject(*bucket_, "a", Cancel()), "0123456789");
  HoldTheNext();
  EXPECT_EQ(*ReadObject(*bucket_, "a", Cancel()), "0123456789");
  EXPECT_EQ(Metric("gauntlet_objstore_hedged_requests_won_total"), 1);
  inner_->SetFault(nullptr);
  EXPECT_EQ(ReadObject(*bucket_, "b", Cancel()).status().code(), Code::kNotFound);
  int heard = 0;
  Status status = bucket_->Get("a", Cancel(), [&](std::string_view) {
    ++heard;
    return Status(Code::kExhausted, "enough");
  });
  EXPECT_EQ(status.message(), "enough");
  EXPECT_EQ(heard, 1);
  ASSERT_TRUE(WriteObject(*inner_, "empty", "", Cancel()).ok());
  EXPECT_EQ(*ReadObject(*bucket_, "empty", Cancel()), "");
}

TEST_F(HedgedBucketTest, ErrorsOfTheBucketAreAnswers) {
  Learn();
  EXPECT_EQ(ReadRange(*bucket_, "b", 0, 1, Cancel()).status().code(), Code::kNotFound);
  EXPECT_FALSE(*bucket_->Exists("b", Cancel()));
  inner_->SetFault([](std::string_view, const std::string&) { return Status(Code::kUnavailable, "down"); });
  EXPECT_EQ(ReadRange(*bucket_, "a", 0, 1, Cancel()).status().message(), "down");
}

TEST_F(HedgedBucketTest, ACancelEndsAll) {
  Learn();
  CancelSource source;
  source.Stop();
  EXPECT_EQ(ReadRange(*bucket_, "a", 0, 1, source.cancel()).status().code(), Code::kCancelled);
}

TEST_F(HedgedBucketTest, NothingIsAskedTwiceBeforeItIsKnownHowLongAnAnswerTakes) {
  for (int i = 0; i < 10; ++i) EXPECT_EQ(*ReadRange(*bucket_, "a", 2, 3, Cancel()), "234");
  EXPECT_EQ(inner_->calls()["get_range"], 10);
  EXPECT_EQ(Metric("gauntlet_objstore_hedged_requests_total"), 0);
}

TEST(LatencyQuantile, FollowsTheLatestLatencies) {
  LatencyQuantile quantile(0.9);
  EXPECT_EQ(quantile.value().count(), 0);
  for (int i = 1; i <= 1000; ++i) quantile.Add(std::chrono::microseconds(i % 100));
  EXPECT_NEAR(static_cast<double>(quantile.value().count()), 90, 3);
  for (int i = 1; i <= 1000; ++i) quantile.Add(std::chrono::microseconds(1000));
  EXPECT_EQ(quantile.value().count(), 1000);
}

}  // namespace
}  // namespace gauntlet::objstore
