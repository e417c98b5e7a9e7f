#include "compactor/lease.h"

#include <gtest/gtest.h>

#include "objstore/memory_bucket.h"

namespace gauntlet::compactor {
namespace {

using std::chrono::seconds;

class LeaseTest : public testing::Test {
 protected:
  SimulatedClock clock_{1'767'571'200'000};
  objstore::MemoryBucket bucket_{clock_};
  Leases a_{bucket_, "a", seconds(60), clock_, telemetry::Logger::Discard()};
  Leases b_{bucket_, "b", seconds(60), clock_, telemetry::Logger::Discard()};
  bool Has(Leases& leases) {
    auto lease = leases.Take("0@1", Cancel());
    EXPECT_TRUE(lease.ok());
    return lease.ok() && *lease != nullptr;
  }
};

TEST_F(LeaseTest, OneHolderAtATimeAndTheNextWhenItIsGivenBack) {
  {
    auto lease = a_.Take("0@1", Cancel());
    ASSERT_TRUE(lease.ok() && *lease != nullptr);
    EXPECT_FALSE(Has(b_));
    EXPECT_FALSE(Has(a_));  // another thread of the same process
    auto other = b_.Take("0@2", Cancel());
    EXPECT_TRUE(other.ok() && *other != nullptr);
  }
  EXPECT_TRUE(bucket_.objects().empty());
  EXPECT_TRUE(Has(b_));
}

TEST_F(LeaseTest, RenewedLeaseIsKeptAndOneThatIsNotIsTakenOver) {
  auto lease = a_.Take("0@1", Cancel());
  ASSERT_TRUE(lease.ok() && *lease != nullptr);
  clock_.Advance(seconds(50));
  a_.RenewAll(Cancel());
  clock_.Advance(seconds(50));
  EXPECT_FALSE(Has(b_));
  clock_.Advance(seconds(11));
  auto taken = b_.Take("0@1", Cancel());
  ASSERT_TRUE(taken.ok() && *taken != nullptr);
  // The first one comes back to life, and does not push the second one out.
  a_.RenewAll(Cancel());
  clock_.Advance(seconds(50));
  Leases c(bucket_, "c", seconds(60), clock_, telemetry::Logger::Discard());
  EXPECT_FALSE(Has(c));
}

TEST_F(LeaseTest, ProcessThatStartsAgainHasItsLeasesAtOnce) {
  ASSERT_TRUE(objstore::WriteObject(bucket_, "compactor/leases/0@1/00000000000000000007.json",
                                    FormatLease({"a", clock_.NowMs() + 60'000}), Cancel())
                  .ok());
  EXPECT_FALSE(Has(b_));
  EXPECT_TRUE(Has(a_));
}

TEST_F(LeaseTest, OfTwoThatTakeOverOneWins) {
  ASSERT_TRUE(objstore::WriteObject(bucket_, "compactor/leases/0@1/00000000000000000007.json",
                                    FormatLease({"dead", clock_.NowMs() - 1}), Cancel())
                  .ok());
  // Both have read; b writes first.
  std::unique_ptr<Lease> of_b;
  bool done = false;
  bucket_.SetFault([&](std::string_view operation, const std::string&) {
    if (operation == "upload" && !done) {
      done = true;
      auto lease = b_.Take("0@1", Cancel());
      if (lease.ok() && *lease != nullptr) of_b = *std::move(lease);
    }
    return Status();
  });
  EXPECT_FALSE(Has(a_));
  EXPECT_TRUE(of_b != nullptr);
}

TEST_F(LeaseTest, LeasesOfTheDeadGoAndThoseOfTheLivingStay) {
  auto lease = a_.Take("0@1", Cancel());
  ASSERT_TRUE(lease.ok() && *lease != nullptr);
  const std::string dead = "compactor/leases/0@2/00000000000000000001.json";
  ASSERT_TRUE(objstore::WriteObject(bucket_, dead, FormatLease({"dead", clock_.NowMs() + 60'000}), Cancel()).ok());
  for (int i = 0; i < 5; ++i) {
    clock_.Advance(seconds(50));
    a_.RenewAll(Cancel());
  }
  ASSERT_TRUE(b_.DropStale(Cancel()).ok());
  EXPECT_FALSE(*bucket_.Exists(dead, Cancel()));
  EXPECT_FALSE(Has(b_));
}

TEST_F(LeaseTest, WhatDoesNotReadHoldsNobody) {
  ASSERT_TRUE(objstore::WriteObject(bucket_, "compactor/leases/0@1/00000000000000000001.json", "{", Cancel()).ok());
  EXPECT_TRUE(Has(a_));
}

TEST_F(LeaseTest, StoreWithoutConditionalWritesStillKeepsThemApart) {
  struct Plain : objstore::MemoryBucket {
    using MemoryBucket::MemoryBucket;
    Status Upload(const std::string& name, objstore::Source& source, const objstore::UploadOptions& options,
                  const Cancel& cancel) override {
      if (options.if_absent) return {Code::kUnsupported, "no conditions here"};
      return MemoryBucket::Upload(name, source, options, cancel);
    }
  } plain(clock_);
  Leases a(plain, "a", seconds(60), clock_, telemetry::Logger::Discard());
  Leases b(plain, "b", seconds(60), clock_, telemetry::Logger::Discard());
  auto lease = a.Take("0@1", Cancel());
  ASSERT_TRUE(lease.ok() && *lease != nullptr);
  EXPECT_FALSE(Has(b));
}

TEST_F(LeaseTest, TroubleWithTheBucketIsAnError) {
  bucket_.SetFault([](std::string_view, const std::string&) { return Status(Code::kUnavailable, "down"); });
  EXPECT_EQ(a_.Take("0@1", Cancel()).status().code(), Code::kUnavailable);
}

}  // namespace
}  // namespace gauntlet::compactor
