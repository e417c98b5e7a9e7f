#include "objstore/metered_bucket.h"

#include <gtest/gtest.h>

#include "objstore/memory_bucket.h"
#include "objstore/sources.h"

namespace gauntlet::objstore {
namespace {

class MeteredBucketTest : public testing::Test {
 protected:
  MeteredBucketTest() {
    auto inner = std::make_unique<MemoryBucket>();
    inner_ = inner.get();
    bucket_ = std::make_unique<MeteredBucket>(std::move(inner), registry_);
  }
  bool Has(const std::string& line) { return registry_.Expose(false).find("\n" + line + "\n") != std::string::npos; }

  telemetry::Registry registry_;
  MemoryBucket* inner_;
  std::unique_ptr<MeteredBucket> bucket_;
};

TEST_F(MeteredBucketTest, CountsFromZero) {
  for (const char* operation : {"iter", "get", "get_range", "exists", "upload", "delete", "attributes"}) {
    std::string labels = std::string("{bucket=\"inmem\",operation=\"") + operation + "\"}";
    EXPECT_TRUE(Has("thanos_objstore_bucket_operations_total" + labels + " 0")) << operation;
    EXPECT_TRUE(Has("thanos_objstore_bucket_operation_failures_total" + labels + " 0")) << operation;
  }
  EXPECT_TRUE(Has("thanos_objstore_bucket_operation_fetched_bytes_total{bucket=\"inmem\",operation=\"get\"} 0"));
  EXPECT_TRUE(Has("thanos_objstore_bucket_last_successful_upload_time{bucket=\"inmem\"} 0"));
}

TEST_F(MeteredBucketTest, CountsCallsAndBytes) {
  ASSERT_TRUE(WriteObject(*bucket_, "o", "0123456789", Cancel()).ok());
  EXPECT_EQ(*ReadRange(*bucket_, "o", 2, 3, Cancel()), "234");
  EXPECT_TRUE(Has("thanos_objstore_bucket_operations_total{bucket=\"inmem\",operation=\"upload\"} 1"));
  EXPECT_TRUE(Has("thanos_objstore_bucket_operation_transferred_bytes_sum{bucket=\"inmem\",operation=\"upload\"} 10"));
  EXPECT_TRUE(Has("thanos_objstore_bucket_operation_fetched_bytes_total{bucket=\"inmem\",operation=\"get_range\"} 3"));
  EXPECT_FALSE(Has("thanos_objstore_bucket_last_successful_upload_time{bucket=\"inmem\"} 0"));
}

TEST_F(MeteredBucketTest, AbsenceAndCallersErrorsAreNoFailures) {
  EXPECT_FALSE(ReadObject(*bucket_, "absent", Cancel()).ok());
  ASSERT_TRUE(WriteObject(*bucket_, "o", "0123456789", Cancel()).ok());
  EXPECT_FALSE(ReadObject(*bucket_, "o", Cancel(), 5).ok());
  EXPECT_TRUE(Has("thanos_objstore_bucket_operation_failures_total{bucket=\"inmem\",operation=\"get\"} 0"));
  inner_->SetFault([](std::string_view, const std::string&) { return Status(Code::kUnavailable, "down"); });
  EXPECT_FALSE(ReadObject(*bucket_, "o", Cancel()).ok());
  EXPECT_TRUE(Has("thanos_objstore_bucket_operation_failures_total{bucket=\"inmem\",operation=\"get\"} 1"));
}

}  // namespace
}  // namespace gauntlet::objstore
