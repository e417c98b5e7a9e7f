#include "objstore/retry.h"

#include <gtest/gtest.h>

#include <thread>

namespace gauntlet::objstore {
namespace {

using std::chrono::milliseconds;

TEST(Retries, GivesUpAfterSoManyAttemptsWithTheLastError) {
  Retries retries({.attempts_max = 3, .first_wait = milliseconds(1)});
  Status error(Code::kUnavailable, "down");
  EXPECT_TRUE(retries.Next(error, Cancel()).ok());
  EXPECT_TRUE(retries.Next(error, Cancel()).ok());
  EXPECT_EQ(retries.Next(error, Cancel()).message(), "gave up after 3 attempts: down");
}

TEST(Retries, OnlyTemporaryErrorsAreTriedAgain) {
  for (Code code : {Code::kNotFound, Code::kDenied, Code::kInvalid, Code::kCorrupt, Code::kCancelled}) {
    EXPECT_EQ(Retries({}).Next(Status(code, "x"), Cancel()).code(), code);
  }
}

TEST(Retries, WaitEndsWithTheCancel) {
  CancelSource deadline(Cancel(), milliseconds(20));
  Retries retries({.attempts_max = 3, .first_wait = milliseconds(3'600'000), .wait_max = milliseconds(3'600'000)});
  EXPECT_EQ(retries.Next(Status(Code::kUnavailable, "down"), deadline.cancel()).code(), Code::kDeadline);
  CancelSource source;
  std::thread stopper([&] { source.Stop(); });
  EXPECT_EQ(retries.Next(Status(Code::kUnavailable, "down"), source.cancel()).code(), Code::kCancelled);
  stopper.join();
}

}  // namespace
}  // namespace gauntlet::objstore
