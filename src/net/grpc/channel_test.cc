// The channel: connecting, dealing out, retrying, and servers that misbehave (made of hand-written frames).

#include <thread>

#include "net/grpc/testing/grpc_test.h"
#include "net/grpc/testing/raw_http2.h"

namespace gauntlet::net {
namespace {

using std::chrono::milliseconds;
using ::testing::AllOf;
using ::testing::HasSubstr;

const RawHeaders kGrpcAnswer{{":status", "200"}, {"content-type", "application/grpc"}};

RawHeaders Trailers(const std::string& status, const std::string& message = "") {
  return {{"grpc-status", status}, {"grpc-message", message}};
}

class GrpcChannelTest : public GrpcTest {
 protected:
  // Another server like server_, whose Echo answers `name`.
  std::unique_ptr<GrpcServer> Named(const std::string& name) {
    auto methods = methods_;
    methods["/t.Test/Echo"] = [name](GrpcServerCall& call) -> GrpcStatus { return call.Write(name); };
    return *GrpcServer::Start(server_options_, methods, nullptr, pool_);
  }
  static std::string AddressOf(const GrpcServer& server) { return "127.0.0.1:" + std::to_string(server.port()); }

  // Starts a call to a scripted server; its end is in result_.
  void CallRaw(const RawListener& listener, bool wait_for_ready = false) {
    if (!channel_) {
      options_.addresses = {listener.address()};
      StartChannel();
    }
    caller_ = std::thread([this, wait_for_ready, cancel = Deadline()] {
      result_ = channel_->Unary("/t.Test/Echo", "request", {}, cancel, wait_for_ready);
    });
  }
  // Accepts, greets, and reads the request of the next call.
  std::unique_ptr<RawHttp2> AcceptCall(RawListener& listener) {
    auto raw = listener.Accept();
    EXPECT_EQ(raw->ReadBytes(kHttp2Preface.size()), kHttp2Preface);
    raw->Greet(false);
    request_ = raw->ReadAnswer(1);
    return raw;
  }
  Status Result() {
    caller_.join();
    return result_.status();
  }
  std::string ResultText() { return std::string(Result().message()); }

  std::thread caller_;
  gauntlet::Result<std::string> result_{std::string()};
  RawHeaders request_;
};

TEST_F(GrpcChannelTest, RefusedConnectionsNameTheAddress) {
  int port = 0;
  {
    RawListener listener;
    port = listener.port();
  }
  options_.addresses = {"127.0.0.1:" + std::to_string(port)};
  StartChannel();
  auto answer = Unary("/t.Test/Echo", "x");
  EXPECT_EQ(answer.status().code(), Code::kUnavailable);
  EXPECT_EQ(answer.status().message(), "connect 127.0.0.1:" + std::to_string(port) + ": connection refused");
}

TEST_F(GrpcChannelTest, AddressesThatAreNoneAreNamed) {
  options_.addresses = {"nowhere.invalid:1"};
  StartChannel();
  EXPECT_THAT(std::string(Unary("/t.Test/Echo", "x").status().message()), HasSubstr("connect nowhere.invalid:1"));
  channel_->SetAddresses({"noport"});
  EXPECT_THAT(std::string(Unary("/t.Test/Echo", "x").status().message()), HasSubstr("noport"));
  channel_->SetAddresses({});
  EXPECT_THAT(std::string(Unary("/t.Test/Echo", "x").status().message()), HasSubstr("no addresses"));
}

TEST_F(GrpcChannelTest, NamesAreLookedUp) {
  StartServer();
  options_.addresses = {"localhost:" + std::to_string(server_->port())};
  StartChannel();
  EXPECT_EQ(*Unary("/t.Test/Echo", "x"), "x");
}

TEST_F(GrpcChannelTest, WaitForReadyOutlastsRefusals) {
  StartServer();
  server_options_.address = address_;
  server_.reset();
  StartChannel();
  EXPECT_EQ(Unary("/t.Test/Echo", "x").status().code(), Code::kUnavailable);
  std::thread waiter([this, cancel = Deadline()] {
    auto answer = channel_->Unary("/t.Test/Echo", "x", {}, cancel, true);
    EXPECT_TRUE(answer.ok()) << answer.status().message();
  });
  StartServer();
  waiter.join();
}

TEST_F(GrpcChannelTest, WaitForReadyEndsAtTheDeadlineAndSaysWhy) {
  StartServer();
  server_.reset();
  StartChannel();
  CancelSource source(Cancel(), milliseconds(100));
  auto answer = channel_->Unary("/t.Test/Echo", "x", {}, source.cancel(), true);
  EXPECT_EQ(answer.status().code(), Code::kDeadline);
  EXPECT_EQ(answer.status().message(), "connect " + address_ + ": connection refused: deadline exceeded");
}

TEST_F(GrpcChannelTest, ReconnectsAfterTheServerRestarts) {
  Start();
  server_options_.address = address_;
  for (int i = 0; i < 5; ++i) {
    ASSERT_EQ(*Unary("/t.Test/Echo", "x"), "x");
    server_.reset();
    StartServer();
    auto answer = Unary("/t.Test/Echo", "y", true);
    ASSERT_TRUE(answer.ok()) << answer.status().message();
  }
}

TEST_F(GrpcChannelTest, LostConnectionsEndTheirCalls) {
  Start();
  auto call = Call("/t.Test/Wait");
  waiting_.WaitFor(1);
  server_.reset();
  std::string message;
  auto got = call->Read(&message);
  EXPECT_EQ(call->Finish().code, GrpcCode::kUnavailable);
}

TEST_F(GrpcChannelTest, CallsGoRoundAndAroundTheDead) {
  auto a = Named("a"), b = Named("b"), c = Named("c");
  options_.addresses = {AddressOf(*a), AddressOf(*b), AddressOf(*c)};
  StartChannel();
  std::map<std::string, int> count;
  while (count.size() < 3) ++count[*Unary("/t.Test/Echo", "")];  // until all are connected
  count.clear();
  for (int i = 0; i < 30; ++i) ++count[*Unary("/t.Test/Echo", "")];
  EXPECT_EQ(count, (std::map<std::string, int>{{"a", 10}, {"b", 10}, {"c", 10}}));
  b.reset();
  while (!Unary("/t.Test/Echo", "").ok()) {  // a call may be lost with the connection
  }
  count.clear();
  for (int i = 0; i < 30; ++i) ++count[*Unary("/t.Test/Echo", "")];
  EXPECT_EQ(count, (std::map<std::string, int>{{"a", 15}, {"c", 15}}));
}

TEST_F(GrpcChannelTest, SetAddressesKeepsWhatStays) {
  auto a = Named("a"), b = Named("b");
  options_.addresses = {AddressOf(*a)};
  StartChannel();
  EXPECT_EQ(*Unary("/t.Test/Echo", ""), "a");
  auto open = Call("/t.Test/Chat");
  std::string message;
  ASSERT_TRUE(open->Write("before").ok());
  ASSERT_TRUE(*open->Read(&message));
  channel_->SetAddresses({AddressOf(*b)});
  EXPECT_EQ(*Unary("/t.Test/Echo", ""), "b");
  ASSERT_TRUE(open->Write("after").ok());  // on the connection that is no longer dealt to
  ASSERT_TRUE(*open->Read(&message));
  EXPECT_EQ(message, "after");
  channel_->SetAddresses({AddressOf(*b), AddressOf(*b)});
  EXPECT_EQ(*Unary("/t.Test/Echo", ""), "b");
}

TEST_F(GrpcChannelTest, RequestsAreAsTheProtocolSays) {
  RawListener listener;
  options_.compression = GrpcCompression::kSnappy;
  CallRaw(listener);
  auto raw = AcceptCall(listener);
  EXPECT_EQ(HeaderValue(request_, ":method"), "POST");
  EXPECT_EQ(HeaderValue(request_, ":scheme"), "http");
  EXPECT_EQ(HeaderValue(request_, ":authority"), listener.address());
  EXPECT_EQ(HeaderValue(request_, "te"), "trailers");
  EXPECT_EQ(HeaderValue(request_, "content-type"), "application/grpc");
  EXPECT_EQ(HeaderValue(request_, "grpc-encoding"), "snappy");
  EXPECT_EQ(HeaderValue(request_, "grpc-accept-encoding"), "identity,gzip,snappy");
  EXPECT_THAT(HeaderValue(request_, "grpc-timeout"), ::testing::MatchesRegex("[0-9]+[num]"));
  raw->SendHeaders(1, {{":status", "103"}}, false);
  raw->SendHeaders(1, kGrpcAnswer, false);
  raw->SendFrame(RawFrame::kData, 0, 1, Message("answer"));
  raw->SendHeaders(1, Trailers("0"), true);
  EXPECT_TRUE(Result().ok()) << result_.status().message();
  EXPECT_EQ(*result_, "answer");
}

TEST_F(GrpcChannelTest, AnswersThatAreNotGrpcAreTold) {
  struct Case {
    std::string status, type, body;
    Code code;
    std::string text;
  };
  for (const Case& c : std::vector<Case>{{"404", "text/html", "<h1>no</h1>", Code::kUnsupported,
                                          "HTTP status 404, content-type \"text/html\" instead of gRPC: <h1>no</h1>"},
                                         {"503", "text/plain", "", Code::kUnavailable,
                                          "HTTP status 503, content-type \"text/plain\" instead of gRPC"},
                                         {"401", "", "", Code::kDenied, "HTTP status 401"},
                                         {"403", "", "", Code::kDenied, "HTTP status 403"},
                                         {"400", "", "", Code::kInternal, "HTTP status 400"},
                                         {"200", "text/html", "hello", Code::kInternal,
                                          "HTTP status 200, content-type \"text/html\" instead of gRPC: hello"}}) {
    channel_.reset();
    RawListener listener;
    CallRaw(listener);
    auto raw = AcceptCall(listener);
    raw->SendHeaders(1, {{":status", c.status}, {"content-type", c.type}}, c.body.empty());
    if (!c.body.empty()) raw->SendFrame(RawFrame::kData, kEndStream, 1, c.body);
    EXPECT_EQ(Result().code(), c.code) << c.status;
    EXPECT_THAT(std::string(result_.status().message()), AllOf(HasSubstr(listener.address()), HasSubstr(c.text)));
  }
}

TEST_F(GrpcChannelTest, ServersOfOtherProtocolsAreNamed) {
  RawListener listener;
  CallRaw(listener);
  auto raw = listener.Accept();
  raw->Send("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(ResultText(), AllOf(HasSubstr(listener.address()), HasSubstr("HTTP/1.1 400 Bad Request")));
  channel_.reset();
  CallRaw(listener);
  raw = listener.Accept();
  raw->Send(std::string("\x15\x03\x01\x00\x02\x02\x46", 7));
  EXPECT_THAT(ResultText(), HasSubstr("expects TLS"));
  channel_.reset();
  CallRaw(listener);
  raw = listener.Accept();
  raw->Send("SSH-2.0-OpenSSH_9.2\r\n");
  EXPECT_THAT(ResultText(), AllOf(HasSubstr(listener.address()), HasSubstr("HTTP/2")));
}

TEST_F(GrpcChannelTest, AnswersThatBreakOffAreInternal) {
  const std::vector<std::function<void(RawHttp2&)>> scripts{
      [](RawHttp2& raw) { raw.SendHeaders(1, kGrpcAnswer, true); },  // no status at all
      [](RawHttp2& raw) {                                            // no trailers
        raw.SendHeaders(1, kGrpcAnswer, false);
        raw.SendFrame(RawFrame::kData, kEndStream, 1, Message("answer"));
      },
      [](RawHttp2& raw) {  // half a message, and all is said to be well
        raw.SendHeaders(1, kGrpcAnswer, false);
        raw.SendFrame(RawFrame::kData, 0, 1, Message("answer").substr(0, 8));
        raw.SendHeaders(1, Trailers("0"), true);
      },
      [](RawHttp2& raw) {  // compressed by nothing
        raw.SendHeaders(1, kGrpcAnswer, false);
        raw.SendFrame(RawFrame::kData, 0, 1, Message("answer", 1));
      },
      [](RawHttp2& raw) {  // compressed by something unknown
        RawHeaders headers = kGrpcAnswer;
        headers.emplace_back("grpc-encoding", "br");
        raw.SendHeaders(1, headers, false);
      },
      [](RawHttp2& raw) { raw.SendFrame(RawFrame::kReset, 0, 1, BigEndian(2)); },
      [](RawHttp2& raw) {  // one answer too many
        raw.SendHeaders(1, kGrpcAnswer, false);
        raw.SendFrame(RawFrame::kData, 0, 1, Message("a") + Message("b"));
        raw.SendHeaders(1, Trailers("0"), true);
      },
      [](RawHttp2& raw) {  // none
        raw.SendHeaders(1, kGrpcAnswer, false);
        raw.SendHeaders(1, Trailers("0"), true);
      },
  };
  for (size_t i = 0; i < scripts.size(); ++i) {
    channel_.reset();
    RawListener listener;
    CallRaw(listener);
    auto raw = AcceptCall(listener);
    scripts[i](*raw);
    EXPECT_EQ(Result().code(), Code::kInternal) << i << ": " << result_.status().message();
  }
}

TEST_F(GrpcChannelTest, ResetsMapToCodes) {
  for (auto [error, code] : std::vector<std::pair<uint32_t, Code>>{
           {1, Code::kInternal}, {8, Code::kCancelled}, {11, Code::kExhausted}, {12, Code::kDenied}}) {
    channel_.reset();
    RawListener listener;
    CallRaw(listener);
    auto raw = AcceptCall(listener);
    raw->SendFrame(RawFrame::kReset, 0, 1, BigEndian(error));
    EXPECT_EQ(Result().code(), code) << error;
  }
}

TEST_F(GrpcChannelTest, RefusedStreamsAreTriedOnceMore) {
  RawListener listener;
  CallRaw(listener);
  auto raw = AcceptCall(listener);
  raw->SendFrame(RawFrame::kReset, 0, 1, BigEndian(7));
  RawHeaders again = raw->ReadAnswer(3);
  EXPECT_EQ(HeaderValue(again, ":path"), "/t.Test/Echo");
  raw->SendHeaders(3, kGrpcAnswer, false);
  raw->SendFrame(RawFrame::kData, 0, 3, Message("answer"));
  raw->SendHeaders(3, Trailers("0"), true);
  EXPECT_TRUE(Result().ok()) << result_.status().message();

  CallRaw(listener);
  (void)raw->ReadAnswer(5);
  raw->SendFrame(RawFrame::kReset, 0, 5, BigEndian(7));
  (void)raw->ReadAnswer(7);
  raw->SendFrame(RawFrame::kReset, 0, 7, BigEndian(7));
  EXPECT_EQ(Result().code(), Code::kUnavailable);
  EXPECT_THAT(std::string(result_.status().message()), HasSubstr("REFUSED_STREAM"));
}

TEST_F(GrpcChannelTest, CallsThatGoAwayDidNotSeeMoveToANewConnection) {
  RawListener listener;
  CallRaw(listener);
  auto raw = AcceptCall(listener);
  raw->SendFrame(RawFrame::kGoAway, 0, 0, BigEndian(0) + BigEndian(0));
  auto second = AcceptCall(listener);
  second->SendHeaders(1, kGrpcAnswer, false);
  second->SendFrame(RawFrame::kData, 0, 1, Message("answer"));
  second->SendHeaders(1, Trailers("0"), true);
  EXPECT_TRUE(Result().ok()) << result_.status().message();
  EXPECT_TRUE(raw->AtEnd());
}

TEST_F(GrpcChannelTest, CallsThatGoAwaySawEndWhereTheyAre) {
  RawListener listener;
  CallRaw(listener);
  auto raw = AcceptCall(listener);
  raw->SendFrame(RawFrame::kGoAway, 0, 0, BigEndian(1) + BigEndian(0));
  raw->SendHeaders(1, kGrpcAnswer, false);
  raw->SendFrame(RawFrame::kData, 0, 1, Message("answer"));
  raw->SendHeaders(1, Trailers("0"), true);
  EXPECT_TRUE(Result().ok()) << result_.status().message();
  EXPECT_TRUE(raw->AtEnd());
}

TEST_F(GrpcChannelTest, ConnectionLostAfterTheRequestIsUnavailable) {
  RawListener listener;
  CallRaw(listener);
  AcceptCall(listener)->Close();
  EXPECT_EQ(Result().code(), Code::kUnavailable);
  EXPECT_THAT(std::string(result_.status().message()), HasSubstr(listener.address()));
}

TEST_F(GrpcChannelTest, ServersThatStaySilentTimeOut) {
  RawListener listener;
  options_.connect_timeout = milliseconds(30);
  CallRaw(listener);
  auto raw = listener.Accept();
  EXPECT_THAT(ResultText(), AllOf(HasSubstr(listener.address()), HasSubstr("in time")));
}

TEST_F(GrpcChannelTest, ServersThatStopAnsweringAreNoticed) {
  RawListener listener;
  options_.keepalive_time = options_.keepalive_timeout = milliseconds(20);
  CallRaw(listener);
  auto raw = AcceptCall(listener);
  EXPECT_THAT(ResultText(), AllOf(HasSubstr(listener.address()), HasSubstr("keep-alive")));  // its ping lies unread
  EXPECT_EQ(result_.status().code(), Code::kUnavailable);
}

TEST_F(GrpcChannelTest, PingsKeepQuietCallsAlive) {
  RawListener listener;
  options_.keepalive_time = milliseconds(10);
  options_.keepalive_timeout = kLong;
  CallRaw(listener);
  auto raw = AcceptCall(listener);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(raw->Next(RawFrame::kPing).has_value());
  raw->SendHeaders(1, kGrpcAnswer, false);
  raw->SendFrame(RawFrame::kData, 0, 1, Message("answer"));
  raw->SendHeaders(1, Trailers("0"), true);
  EXPECT_TRUE(Result().ok()) << result_.status().message();
}

TEST_F(GrpcChannelTest, CancelledCallsResetTheirStream) {
  RawListener listener;
  options_.addresses = {listener.address()};
  StartChannel();
  auto call = Call("/t.Test/Chat");
  ASSERT_TRUE(call->Write("x").ok());
  auto raw = listener.Accept();
  (void)raw->ReadBytes(kHttp2Preface.size());
  raw->Greet(false);
  ASSERT_TRUE(raw->Next(RawFrame::kData).has_value());
  call.reset();
  auto reset = raw->Next(RawFrame::kReset);
  ASSERT_TRUE(reset.has_value());
  EXPECT_EQ(reset->Word(), 8u);
}

TEST_F(GrpcChannelTest, MessagesBeforeALossAreRead) {
  RawListener listener;
  options_.addresses = {listener.address()};
  StartChannel();
  auto call = Call("/t.Test/Stream");
  auto raw = listener.Accept();
  (void)raw->ReadBytes(kHttp2Preface.size());
  raw->Greet(false);
  (void)raw->Next(RawFrame::kHeaders);
  raw->SendHeaders(1, kGrpcAnswer, false);
  raw->SendFrame(RawFrame::kData, 0, 1, Message("one") + Message("two"));
  raw->Close();
  std::string message;
  EXPECT_TRUE(*call->Read(&message));
  EXPECT_TRUE(*call->Read(&message));
  EXPECT_EQ(message, "two");
  EXPECT_EQ(call->Read(&message).status().code(), Code::kUnavailable);
  EXPECT_EQ(call->Finish().code, GrpcCode::kUnavailable);
}

}  // namespace
}  // namespace gauntlet::net
