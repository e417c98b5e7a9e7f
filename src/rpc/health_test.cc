#include "rpc/health.h"

#include <gtest/gtest.h>

#include <string>

#include "base/executor.h"
#include "proto/grpc/health.pb.h"
#include "rpc/loopback_channel.h"

namespace gauntlet::rpc {
namespace {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;
using grpc::health::v1::HealthListResponse;
using net::GrpcCode;

class HealthTest : public testing::Test {
 protected:
  HealthTest() {
    MethodMap methods;
    health_.Register(&methods);
    channel_ = std::make_unique<LoopbackChannel>(methods, pool_);
  }
  std::unique_ptr<net::GrpcClientCall> Start(const char* method, const std::string& service) {
    HealthCheckRequest request;
    request.set_service(service);
    auto call = channel_->Start(method, {}, Cancel());
    EXPECT_TRUE(call->Write(request.SerializeAsString()).ok());
    EXPECT_TRUE(call->WritesDone().ok());
    return call;
  }
  static int Next(net::GrpcClientCall& call) {
    std::string bytes;
    Result<bool> read = call.Read(&bytes);
    HealthCheckResponse response;
    if (!read.ok() || !*read || !response.ParseFromString(bytes)) return -1;
    return response.status();
  }
  int Check(const std::string& service) { return Next(*Start("/grpc.health.v1.Health/Check", service)); }

  HealthService health_;
  ThreadPool pool_{"test", 4};
  std::unique_ptr<LoopbackChannel> channel_;
};

TEST_F(HealthTest, CheckSaysWhatWasSet) {
  EXPECT_EQ(Check(""), HealthCheckResponse::SERVING);
  health_.Set("thanos.Store", ServingStatus::kNotServing);
  EXPECT_EQ(Check("thanos.Store"), HealthCheckResponse::NOT_SERVING);
  health_.Set("thanos.Store", ServingStatus::kServing);
  EXPECT_EQ(Check("thanos.Store"), HealthCheckResponse::SERVING);
}

TEST_F(HealthTest, CheckOfAnUnknownServiceIsNotFound) {
  auto call = Start("/grpc.health.v1.Health/Check", "nobody");
  EXPECT_EQ(Next(*call), -1);
  EXPECT_EQ(call->Finish().code, GrpcCode::kNotFound);
}

TEST_F(HealthTest, WatchSendsTheStatusAndEachChange) {
  auto call = Start("/grpc.health.v1.Health/Watch", "s");
  EXPECT_EQ(Next(*call), HealthCheckResponse::SERVICE_UNKNOWN);
  health_.Set("s", ServingStatus::kNotServing);
  EXPECT_EQ(Next(*call), HealthCheckResponse::NOT_SERVING);
  health_.Set("other", ServingStatus::kServing);  // no message for that
  health_.Set("s", ServingStatus::kServing);
  EXPECT_EQ(Next(*call), HealthCheckResponse::SERVING);
  health_.ShutDown();
  EXPECT_EQ(Next(*call), HealthCheckResponse::NOT_SERVING);
}

TEST_F(HealthTest, WatchEndsWithItsDeadline) {
  CancelSource soon(Cancel(), std::chrono::milliseconds(5));
  // On a busy machine the deadline may pass before the request is written.
  auto call = channel_->Start("/grpc.health.v1.Health/Watch", {}, soon.cancel());
  (void)call->Write(HealthCheckRequest().SerializeAsString());
  (void)call->WritesDone();
  int status = Next(*call);
  if (status != -1) {
    EXPECT_EQ(status, HealthCheckResponse::SERVING);
  }
  while (status != -1) status = Next(*call);
  EXPECT_EQ(call->Finish().code, GrpcCode::kDeadlineExceeded);
}

TEST_F(HealthTest, AfterShutDownNothingServesAgain) {
  health_.Set("s", ServingStatus::kServing);
  health_.ShutDown();
  health_.Set("s", ServingStatus::kServing);
  EXPECT_EQ(Check("s"), HealthCheckResponse::NOT_SERVING);
  EXPECT_EQ(Check(""), HealthCheckResponse::NOT_SERVING);
}

TEST_F(HealthTest, ListNamesAll) {
  health_.Set("s", ServingStatus::kNotServing);
  auto call = Start("/grpc.health.v1.Health/List", "");
  std::string bytes;
  ASSERT_TRUE(*call->Read(&bytes));
  HealthListResponse response;
  ASSERT_TRUE(response.ParseFromString(bytes));
  EXPECT_EQ(response.statuses_size(), 2);
  EXPECT_EQ(response.statuses().at("").status(), HealthCheckResponse::SERVING);
  EXPECT_EQ(response.statuses().at("s").status(), HealthCheckResponse::NOT_SERVING);
}

}  // namespace
}  // namespace gauntlet::rpc
