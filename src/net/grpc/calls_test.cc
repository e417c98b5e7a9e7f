#include "net/grpc/grpc.h"

#include <thread>

#include "net/grpc/testing/grpc_test.h"

namespace gauntlet::net {
namespace {

using std::chrono::milliseconds;
using ::testing::AllOf;
using ::testing::HasSubstr;

TEST_F(GrpcTest, UnaryReturnsTheAnswer) {
  Start();
  auto answer = Unary("/t.Test/Echo", "hello");
  ASSERT_TRUE(answer.ok()) << answer.status().message();
  EXPECT_EQ(*answer, "hello");
  EXPECT_EQ(*Unary("/t.Test/Echo", ""), "");
}

TEST_F(GrpcTest, StatusesArriveWhole) {
  Start();
  auto call = Call("/t.Test/Fail");
  std::string message;
  EXPECT_FALSE(*call->Read(&message));
  GrpcStatus status = call->Finish();
  EXPECT_EQ(status.code, GrpcCode::kAborted);
  EXPECT_EQ(status.message, "partial: 50% of \xc3\xa9\n");
}

TEST_F(GrpcTest, UnknownMethodsAreUnimplemented) {
  Start();
  auto service = Unary("/t.Other/Echo", "x");
  EXPECT_EQ(service.status().code(), Code::kUnsupported);
  EXPECT_EQ(service.status().message(), "unknown service t.Other");
  auto method = Unary("/t.Test/Other", "x");
  EXPECT_EQ(method.status().message(), "unknown method Other for service t.Test");
  // Bodies that nobody reads do not exhaust the connection's window.
  for (int i = 0; i < 40; ++i)
    EXPECT_EQ(Unary("/t.Test/Other", std::string(1 << 20, 'x')).status().code(), Code::kUnsupported);
  EXPECT_EQ(*Unary("/t.Test/Echo", "still here"), "still here");
}

TEST_F(GrpcTest, ServerStreamsManyMessages) {
  Start();
  auto call = Call("/t.Test/Stream");
  ASSERT_TRUE(call->Write("10000 100").ok());
  ASSERT_TRUE(call->WritesDone().ok());
  std::string message;
  int count = 0;
  while (true) {
    auto got = call->Read(&message);
    ASSERT_TRUE(got.ok()) << got.status().message();
    if (!*got) break;
    ++count;
    ASSERT_EQ(message.size(), 100u);
  }
  EXPECT_EQ(count, 10000);
  EXPECT_TRUE(call->Finish().ok());
  EXPECT_TRUE(call->Ready());
}

TEST_F(GrpcTest, ClientStreamsManyMessages) {
  Start();
  auto call = Call("/t.Test/Sum");
  for (int i = 0; i < 10000; ++i) ASSERT_TRUE(call->Write(std::string(i % 300, 'y')).ok());
  ASSERT_TRUE(call->WritesDone().ok());
  std::string message;
  ASSERT_TRUE(*call->Read(&message));
  size_t sum = 0;
  for (int i = 0; i < 10000; ++i) sum += i % 300;
  EXPECT_EQ(message, std::to_string(sum));
  EXPECT_FALSE(*call->Read(&message));
  EXPECT_TRUE(call->Finish().ok());
}

TEST_F(GrpcTest, BothSidesTalkInTurn) {
  Start();
  auto call = Call("/t.Test/Chat");
  std::string message;
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(call->Write(std::to_string(i)).ok());
    ASSERT_TRUE(*call->Read(&message));
    ASSERT_EQ(message, std::to_string(i));
  }
  ASSERT_TRUE(call->WritesDone().ok());
  EXPECT_FALSE(*call->Read(&message));
  EXPECT_TRUE(call->Finish().ok());
}

TEST_F(GrpcTest, MessagesLargerThanTheWindowPass) {
  server_options_.window_bytes = options_.window_bytes = 64 << 10;
  Start();
  std::string big(9 << 20, 'b');
  for (size_t i = 0; i < big.size(); i += 4096) big[i] = static_cast<char>(i >> 12);
  EXPECT_EQ(*Unary("/t.Test/Echo", big), big);
  // In both directions at once.
  auto call = Call("/t.Test/Chat");
  std::thread writer([&] {
    for (int i = 0; i < 4; ++i) EXPECT_TRUE(call->Write(big).ok());
    EXPECT_TRUE(call->WritesDone().ok());
  });
  std::string message;
  for (int i = 0; i < 4; ++i) {
    EXPECT_TRUE(*call->Read(&message));
    EXPECT_EQ(message, big);
  }
  writer.join();
  EXPECT_FALSE(*call->Read(&message));
}

TEST_F(GrpcTest, MetadataReachesTheHandler) {
  GrpcMetadata seen;
  std::string method, peer;
  methods_["/t.Test/Meta"] = [&](GrpcServerCall& call) -> GrpcStatus {
    seen = call.metadata();
    method = call.method();
    peer = call.peer_address();
    return call.Write("");
  };
  options_.user_agent = "gauntlet/1";
  Start();
  auto answer =
      channel_->Unary("/t.Test/Meta", "", {{"thanos-tenant", "a"}, {"trace-bin", std::string("\0\1", 2)}}, Deadline());
  ASSERT_TRUE(answer.ok()) << answer.status().message();
  EXPECT_EQ(seen.find("thanos-tenant")->second, "a");
  EXPECT_EQ(seen.find("trace-bin")->second, std::string("\0\1", 2));
  EXPECT_EQ(seen.find("user-agent")->second, "gauntlet/1");
  EXPECT_EQ(seen.find(":authority")->second, address_);
  EXPECT_EQ(method, "/t.Test/Meta");
  EXPECT_THAT(peer, HasSubstr("127.0.0.1:"));
}

TEST_F(GrpcTest, InterceptorSeesCallsAndTheirEnd) {
  std::string seen;
  interceptor_ = [&](GrpcServerCall& call, const GrpcHandler& next) {
    GrpcStatus status = next(call);
    seen = call.method() + " " + std::string(GrpcCodeText(status.code));
    return status;
  };
  Start();
  EXPECT_EQ(Unary("/t.Test/Fail", "").status().code(), Code::kInternal);
  EXPECT_EQ(seen, "/t.Test/Fail Aborted");
}

TEST_F(GrpcTest, DeadlineEndsBothSides) {
  Start();
  ASSERT_TRUE(Unary("/t.Test/Echo", "connected").ok());
  CancelSource source(Cancel(), milliseconds(50));
  auto call = channel_->Start("/t.Test/Wait", {}, source.cancel());
  std::string message;
  auto got = call->Read(&message);
  if (got.ok()) {  // the server noticed first, and its end of the call was there before our deadline
    EXPECT_FALSE(*got);
  } else {
    EXPECT_EQ(got.status().code(), Code::kDeadline);
    EXPECT_THAT(std::string(got.status().message()), HasSubstr(address_));
  }
  EXPECT_EQ(call->Finish().code, GrpcCode::kDeadlineExceeded);
  waited_.WaitFor(1);
}

TEST_F(GrpcTest, DeadlineTravelsToTheHandler) {
  std::optional<Cancel::TimePoint> deadline;
  methods_["/t.Test/Meta"] = [&](GrpcServerCall& call) -> GrpcStatus {
    deadline = call.cancel().deadline();
    return call.Write("");
  };
  Start();
  ASSERT_TRUE(Unary("/t.Test/Meta", "").ok());
  ASSERT_TRUE(deadline.has_value());
  auto left = *deadline - std::chrono::steady_clock::now();
  EXPECT_LE(left, kLong + milliseconds(1));
  EXPECT_GT(left, kLong / 2);
}

TEST_F(GrpcTest, CancelOfTheClientReachesTheHandler) {
  Start();
  CancelSource source;
  auto call = channel_->Start("/t.Test/Wait", {}, source.cancel());
  waiting_.WaitFor(1);
  std::thread canceller([&] { source.Stop(Status(Code::kCancelled, "query is over")); });
  std::string message;
  auto got = call->Read(&message);
  canceller.join();
  EXPECT_EQ(got.status().message(), "query is over");
  EXPECT_EQ(call->Finish().code, GrpcCode::kCancelled);
  waited_.WaitFor(1);
  EXPECT_EQ(WaitStatus().code, GrpcCode::kCancelled);
}

TEST_F(GrpcTest, DroppedCallsAreCancelled) {
  Start();
  Call("/t.Test/Wait").reset();
  auto call = Call("/t.Test/Wait");
  call->Stop();
  EXPECT_EQ(call->Write("x").code(), Code::kCancelled);
  std::string message;
  EXPECT_EQ(call->Read(&message).status().code(), Code::kCancelled);
  auto third = Call("/t.Test/Wait");
  waiting_.WaitFor(1);
  channel_.reset();
  auto got = third->Read(&message);
  EXPECT_EQ(got.status().code(), Code::kUnavailable);
  EXPECT_THAT(std::string(got.status().message()), HasSubstr("channel is closed"));
}

TEST_F(GrpcTest, StoppedCancelStartsNothing) {
  Start();
  CancelSource source;
  source.Stop();
  EXPECT_EQ(channel_->Unary("/t.Test/Echo", "x", {}, source.cancel()).status().code(), Code::kCancelled);
}

TEST_F(GrpcTest, ReadWithTimeoutLeavesTheCallOpen) {
  Start();
  ASSERT_TRUE(Unary("/t.Test/Echo", "connected").ok());
  auto call = Call("/t.Test/Wait");
  waiting_.WaitFor(1);
  std::string message;
  auto got = call->Read(&message, milliseconds(5));
  EXPECT_EQ(got.status().code(), Code::kDeadline);
  EXPECT_EQ(got.status().message(), address_ + ": no message for 5ms");
  EXPECT_FALSE(call->Ready());
  call = Call("/t.Test/Chat");
  EXPECT_EQ(call->Read(&message, milliseconds(5)).status().code(), Code::kDeadline);
  ASSERT_TRUE(call->Write("x").ok());
  EXPECT_TRUE(*call->Read(&message, kLong));
  EXPECT_EQ(message, "x");
}

TEST_F(GrpcTest, HandlerMayEndBeforeTheClientHasWritten) {
  methods_["/t.Test/Early"] = [](GrpcServerCall& call) -> GrpcStatus {
    (void)call.Write("enough").ok();
    return {GrpcCode::kNotFound, "not here"};
  };
  Start();
  auto call = Call("/t.Test/Early");
  std::string big(1 << 20, 'x');
  Status written;
  while (written.ok()) written = call->Write(big);
  EXPECT_EQ(written.code(), Code::kUnavailable);
  std::string message;
  EXPECT_TRUE(*call->Read(&message));
  EXPECT_FALSE(*call->Read(&message));
  EXPECT_EQ(call->Finish().code, GrpcCode::kNotFound);
  EXPECT_EQ(*Unary("/t.Test/Echo", "still here"), "still here");
}

TEST_F(GrpcTest, ManyCallsAtOnceOnOneConnection) {
  Start();
  std::vector<std::thread> threads;
  for (int t = 0; t < 16; ++t) {
    threads.emplace_back([&, t, cancel = Deadline()] {
      for (int i = 0; i < 50; ++i) {
        std::string text = std::to_string(t) + "/" + std::to_string(i) + std::string(i * 1000, 'z');
        auto answer = channel_->Unary("/t.Test/Echo", text, {}, cancel);
        ASSERT_TRUE(answer.ok()) << answer.status().message();
        ASSERT_EQ(*answer, text);
      }
    });
  }
  for (auto& thread : threads) thread.join();
}

TEST_F(GrpcTest, MessageAboveTheLimitIsRefused) {
  server_options_.message_bytes_max = 1000;
  Start();
  auto request = Unary("/t.Test/Echo", std::string(1001, 'x'));
  EXPECT_EQ(request.status().code(), Code::kExhausted);
  EXPECT_THAT(std::string(request.status().message()), HasSubstr("1001 bytes is larger than the limit of 1000"));
  EXPECT_TRUE(Unary("/t.Test/Echo", std::string(1000, 'x')).ok());

  options_.message_bytes_max = 10;
  StartChannel();
  auto answer = Unary("/t.Test/Echo", "eleven bytes");
  EXPECT_EQ(answer.status().code(), Code::kExhausted);
  EXPECT_THAT(std::string(answer.status().message()), AllOf(HasSubstr(address_), HasSubstr("limit of 10")));
}

TEST_F(GrpcTest, ShutdownLetsCallsEnd) {
  Tally release;
  methods_["/t.Test/Slow"] = [&](GrpcServerCall& call) -> GrpcStatus {
    waiting_.Add();
    release.WaitFor(1);
    return call.Write("done");
  };
  Start();
  auto call = Call("/t.Test/Slow");
  ASSERT_TRUE(call->WritesDone().ok());
  waiting_.WaitFor(1);
  std::thread stopper([&] { server_->Shutdown(kLong); });
  // New calls go nowhere once the client has been told; this one may still slip in before.
  while (Unary("/t.Test/Echo", "x").ok()) {
  }
  release.Add();
  std::string message;
  auto got = call->Read(&message);
  ASSERT_TRUE(got.ok()) << got.status().message();
  EXPECT_EQ(message, "done");
  EXPECT_FALSE(*call->Read(&message));
  EXPECT_TRUE(call->Finish().ok());
  stopper.join();
}

TEST_F(GrpcTest, ShutdownCancelsWhatOutlastsTheGrace) {
  Start();
  auto call = Call("/t.Test/Wait");
  waiting_.WaitFor(1);
  server_->Shutdown(milliseconds(1));
  EXPECT_EQ(WaitStatus().code, GrpcCode::kUnavailable);
  std::string message;
  auto got = call->Read(&message);
  GrpcStatus status = call->Finish();
  EXPECT_EQ(status.code, GrpcCode::kUnavailable) << status.message;
}

TEST_F(GrpcTest, BadListenAddressIsNamed) {
  server_options_.address = "127.0.0.1:notaport";
  auto server = GrpcServer::Start(server_options_, methods_, interceptor_, pool_);
  EXPECT_THAT(std::string(server.status().message()), HasSubstr("127.0.0.1:notaport"));
  server_options_.address = "127.0.0.1:0";
  StartServer();
  server_options_.address = address_;
  auto second = GrpcServer::Start(server_options_, methods_, interceptor_, pool_);
  EXPECT_THAT(std::string(second.status().message()), AllOf(HasSubstr(address_), HasSubstr("in use")));
}

}  // namespace
}  // namespace gauntlet::net
