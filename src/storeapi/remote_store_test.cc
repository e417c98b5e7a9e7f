#include "storeapi/remote_store.h"

#include <gtest/gtest.h>

#include "base/executor.h"
#include "base/sleep.h"
#include "rpc/loopback_channel.h"
#include "storeapi/testing/fake_store.h"

namespace gauntlet::storeapi {
namespace {

// Answers one series, or label, and then nothing until the call's end.
class HangingService : public rpc::StoreService {
 public:
  net::GrpcStatus Series(const wire::SeriesRequest&, rpc::SeriesWriter& out, const CallContext& context) override {
    if (Status sent = out.Series(MakeLabels({{"n", "1"}}), {}); !sent.ok()) return sent;
    return Hang(context.cancel);
  }
  net::GrpcStatus LabelNames(const wire::LabelNamesRequest& request, wire::LabelsResponse* response,
                             const CallContext& context) override {
    response->values = {"n"};
    return request.limit == 1 ? net::GrpcStatus() : Hang(context.cancel);
  }
  net::GrpcStatus LabelValues(const wire::LabelValuesRequest&, wire::LabelsResponse*,
                              const CallContext& context) override {
    return Hang(context.cancel);
  }

 private:
  static net::GrpcStatus Hang(const Cancel& cancel) {
    SleepFor(std::chrono::minutes(1), cancel);
    return cancel.status();
  }
};

class RemoteStoreTest : public ::testing::Test {
 protected:
  RemoteStoreTest() {
    rpc::MethodMap methods;
    rpc::RegisterStore(service_, &methods);
    channel_ = std::make_shared<rpc::LoopbackChannel>(methods, pool_);
  }
  HangingService service_;
  ThreadPool pool_{"test", 8};
  std::shared_ptr<rpc::LoopbackChannel> channel_;
};

TEST_F(RemoteStoreTest, ASeriesCallThatFallsSilentEndsAfterTheTimeout) {
  RemoteStore store(channel_, std::chrono::milliseconds(30));
  auto stream = store.Series({}, {});
  auto first = stream->Next();
  ASSERT_TRUE(first.ok()) << first.status().message();
  EXPECT_EQ((*first)->size(), 1u);
  auto second = stream->Next();
  EXPECT_EQ(second.status().code(), Code::kDeadline);
  EXPECT_EQ(second.status().message().find("failed to receive any data in 30ms"), 0u) << second.status().message();
}

TEST_F(RemoteStoreTest, SoDoesALabelCall) {
  RemoteStore store(channel_, std::chrono::milliseconds(30));
  LabelsRequest request;
  request.label = "n";
  for (auto call : {&Store::LabelNames, &Store::LabelValues}) {
    auto answer = (static_cast<Store&>(store).*call)(request, {});
    ASSERT_FALSE(answer.ok());
    EXPECT_EQ(answer.status().code(), Code::kDeadline);
    EXPECT_EQ(answer.status().message().find("failed to receive any data in 30ms"), 0u) << answer.status().message();
  }
  request.limit = 1;
  EXPECT_EQ(store.LabelNames(request, {})->values, std::vector<std::string>{"n"});
}

TEST_F(RemoteStoreTest, TheCallersEndIsNotTheTimeout) {
  RemoteStore store(channel_, std::chrono::minutes(10));
  CancelSource source(Cancel(), std::chrono::milliseconds(20));
  CallContext context;
  context.cancel = source.cancel();
  auto answer = store.LabelNames({}, context);
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.status().message().find("failed to receive"), std::string_view::npos) << answer.status().message();
}

}  // namespace
}  // namespace gauntlet::storeapi
