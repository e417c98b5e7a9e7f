// Flow control from end to end: who does not read stops who writes, and nobody else.

#include <atomic>
#include <thread>

#include "net/grpc/testing/grpc_test.h"

namespace gauntlet::net {
namespace {

using std::chrono::milliseconds;

class GrpcFlowTest : public GrpcTest {
 protected:
  static constexpr size_t kWindow = 100'000, kPipe = 256 << 10, kMessage = 1000;

  GrpcFlowTest() {
    server_options_.window_bytes = options_.window_bytes = kWindow;
    methods_["/t.Test/Endless"] = [this](GrpcServerCall& call) -> GrpcStatus {
      Status status;
      while ((status = call.Write(std::string(kMessage, 'x'))).ok()) ++written_;
      stopped_.Add();
      return status;
    };
    methods_["/t.Test/Deaf"] = [this](GrpcServerCall& call) -> GrpcStatus {
      waiting_.Add();
      release_.WaitFor(1);
      std::string message;
      size_t count = 0;
      while (true) {
        auto got = call.Read(&message);
        if (!got.ok()) return got.status();
        if (!*got) return call.Write(std::to_string(count));
        ++count;
      }
    };
  }

  std::atomic<size_t> written_{0};
  Tally stopped_, release_;
};

TEST_F(GrpcFlowTest, ReaderWhoDoesNotReadStopsTheHandler) {
  Start();
  CancelSource source(Cancel(), milliseconds(300));
  auto call = channel_->Start("/t.Test/Endless", {}, source.cancel());
  stopped_.WaitFor(1);  // at the deadline, blocked in Write
  size_t bytes = written_ * kMessage;
  EXPECT_GE(bytes, kWindow);
  EXPECT_LE(bytes, kWindow + kPipe + kMessage);
}

TEST_F(GrpcFlowTest, HandlerWhoDoesNotReadStopsTheClient) {
  Start();
  CancelSource source(Cancel(), milliseconds(300));
  auto call = channel_->Start("/t.Test/Deaf", {}, source.cancel());
  size_t bytes = 0;
  Status status;
  while ((status = call->Write(std::string(kMessage, 'x'))).ok()) bytes += kMessage;
  release_.Add();
  EXPECT_EQ(status.code(), Code::kDeadline);
  EXPECT_GE(bytes, kWindow);
  EXPECT_LE(bytes, kWindow + kPipe + kMessage);
}

TEST_F(GrpcFlowTest, LateReaderGetsEverything) {
  Start();
  auto call = Call("/t.Test/Deaf");
  std::atomic<bool> done{false};
  constexpr size_t kCount = 2000;
  std::thread writer([&] {
    for (size_t i = 0; i < kCount; ++i) EXPECT_TRUE(call->Write(std::string(kMessage, 'x')).ok());
    EXPECT_TRUE(call->WritesDone().ok());
    done = true;
  });
  waiting_.WaitFor(1);
  EXPECT_FALSE(done);  // 2 MB do not fit
  release_.Add();
  writer.join();
  std::string message;
  EXPECT_TRUE(*call->Read(&message));
  EXPECT_EQ(message, std::to_string(kCount));
}

TEST_F(GrpcFlowTest, StalledCallsDoNotHoldUpOthers) {
  server_options_.window_bytes = options_.window_bytes = 1 << 20;
  Start();
  // Together they would fill a window of the connection, were it not opened as the bytes come.
  std::vector<std::unique_ptr<GrpcClientCall>> stalled;
  for (int i = 0; i < 40; ++i) stalled.push_back(Call("/t.Test/Endless"));
  std::string big(3 << 20, 'y');
  for (int i = 0; i < 5; ++i) {
    auto answer = Unary("/t.Test/Echo", big);
    ASSERT_TRUE(answer.ok()) << answer.status().message();
  }
  for (auto& call : stalled) {
    std::string message;
    EXPECT_TRUE(*call->Read(&message));
  }
  stalled.clear();
  stopped_.WaitFor(40);
}

TEST_F(GrpcFlowTest, SlowReadersKeepTheirPlaceWhileTheWindowCloses) {
  server_options_.window_bytes = options_.window_bytes = 5'000;  // a few messages
  Start();
  auto call = Call("/t.Test/Stream");
  ASSERT_TRUE(call->Write("5000 1700").ok());
  ASSERT_TRUE(call->WritesDone().ok());
  std::string message;
  int count = 0;
  while (true) {
    auto got = call->Read(&message);
    ASSERT_TRUE(got.ok()) << got.status().message();
    if (!*got) break;
    ++count;
    if (count % 100 == 0) std::this_thread::yield();
  }
  EXPECT_EQ(count, 5000);
}

}  // namespace
}  // namespace gauntlet::net
