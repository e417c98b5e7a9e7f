#include "rpc/time.h"

#include <google/protobuf/timestamp.pb.h>
#include <gtest/gtest.h>

namespace gauntlet::rpc {
namespace {

TEST(RpcTime, NeverIsGosZeroTime) {
  google::protobuf::Timestamp timestamp;
  FromNs(kNeverNs, &timestamp);
  EXPECT_EQ(timestamp.seconds(), -62135596800);
  EXPECT_EQ(ToNs(timestamp), kNeverNs);
  for (int64_t ns : {int64_t{0}, int64_t{-1}, int64_t{-1'000'000'000}, int64_t{1'700'000'000'999'999'999}}) {
    timestamp.Clear();
    FromNs(ns, &timestamp);
    EXPECT_GE(timestamp.nanos(), 0);
    EXPECT_EQ(ToNs(timestamp), ns);
  }
}

}  // namespace
}  // namespace gauntlet::rpc
