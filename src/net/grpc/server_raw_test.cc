// The server against clients made of hand-written frames: what is malformed, hostile, slow or cut off.

#include <random>
#include <thread>

#include "net/grpc/testing/grpc_test.h"
#include "net/grpc/testing/raw_http2.h"

namespace gauntlet::net {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

class GrpcServerRawTest : public GrpcTest {
 protected:
  std::unique_ptr<RawHttp2> Greeted(const std::vector<std::pair<uint16_t, uint32_t>>& settings = {}) {
    auto raw = RawHttp2::Connect(server_->port());
    raw->Greet(true, settings);
    return raw;
  }

  // Sends one request on a fresh connection; returns all headers of the answer.
  RawHeaders Ask(const RawHeaders& headers, std::string_view body) {
    auto raw = Greeted();
    raw->SendHeaders(1, headers, body.empty());
    if (!body.empty()) raw->SendFrame(RawFrame::kData, kEndStream, 1, body);
    return raw->ReadAnswer(1);
  }

  RawHeaders With(const std::string& name, const std::string& value) {
    RawHeaders headers = GrpcRequest("/t.Test/Echo");
    headers.emplace_back(name, value);
    return headers;
  }

  void ExpectAlive() {
    RawHeaders answer = Ask(GrpcRequest("/t.Test/Echo"), Message("x"));
    EXPECT_EQ(HeaderValue(answer, "grpc-status"), "0");
  }
};

TEST_F(GrpcServerRawTest, OtherProtocolsAreClosed) {
  StartServer();
  for (std::string_view bytes :
       {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "\x16\x03\x01\x02\x00\x01", "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n"}) {
    auto raw = RawHttp2::Connect(server_->port());
    raw->Send(bytes);
    EXPECT_TRUE(raw->AtEnd());
  }
  ExpectAlive();
}

TEST_F(GrpcServerRawTest, CutConversationsLeaveTheServerWell) {
  StartServer();
  std::string talk = std::string(kHttp2Preface) + SettingsBytes({}) +
                     FrameBytes(RawFrame::kHeaders, kEndHeaders, 1, HeaderBlock(GrpcRequest("/t.Test/Echo"))) +
                     FrameBytes(RawFrame::kData, kEndStream, 1, Message("hello"));
  for (size_t cut = 0; cut < talk.size(); ++cut) {
    auto raw = RawHttp2::Connect(server_->port());
    raw->Send(std::string_view(talk).substr(0, cut));
  }
  ExpectAlive();
}

TEST_F(GrpcServerRawTest, SilentConnectionsAreClosed) {
  server_options_.handshake_timeout = milliseconds(20);
  StartServer();
  auto silent = RawHttp2::Connect(server_->port());
  auto slow = RawHttp2::Connect(server_->port());
  slow->Send(kHttp2Preface.substr(0, 10));
  EXPECT_TRUE(silent->AtEnd());
  EXPECT_TRUE(slow->AtEnd());
}

TEST_F(GrpcServerRawTest, WhatIsNotGrpcGetsAnHttpStatus) {
  StartServer();
  RawHeaders json = GrpcRequest("/t.Test/Echo");
  json.back().second = "application/json";
  EXPECT_EQ(HeaderValue(Ask(json, "{}"), ":status"), "415");
  RawHeaders get = GrpcRequest("/t.Test/Echo");
  get[0].second = "GET";
  RawHeaders answer = Ask(get, "");
  EXPECT_EQ(HeaderValue(answer, ":status"), "405");
  EXPECT_EQ(HeaderValue(answer, "allow"), "POST");
}

TEST_F(GrpcServerRawTest, MalformedCallsEndWithTheirStatus) {
  server_options_.message_bytes_max = 100;
  StartServer();
  auto status = [](const RawHeaders& answer) { return HeaderValue(answer, "grpc-status"); };
  RawHeaders echo = GrpcRequest("/t.Test/Echo");
  EXPECT_EQ(status(Ask(echo, Message("x"))), "0");
  EXPECT_EQ(status(Ask(echo, "")), "3");                                         // no message at all
  EXPECT_EQ(status(Ask(echo, Message("x").substr(0, 3))), "13");                 // ends within the prefix
  EXPECT_EQ(status(Ask(echo, Message("hello").substr(0, 7))), "13");             // ends within the message
  EXPECT_EQ(status(Ask(echo, Message("x", 1))), "13");                           // compressed without an encoding
  EXPECT_EQ(status(Ask(echo, Message("x", 7))), "13");                           // unknown flags
  EXPECT_EQ(status(Ask(echo, Message(std::string(101, 'x')))), "8");             // too large
  EXPECT_EQ(status(Ask(With("grpc-encoding", "gzip"), Message("x", 1))), "13");  // not gzip
  EXPECT_EQ(status(Ask(With("grpc-timeout", "soon"), Message("x"))), "13");
  EXPECT_EQ(status(Ask(With("x-bin", "***"), Message("x"))), "13");
  RawHeaders unknown = Ask(With("grpc-encoding", "br"), Message("x", 1));
  EXPECT_EQ(status(unknown), "12");
  EXPECT_EQ(HeaderValue(unknown, "grpc-accept-encoding"), "identity,gzip,snappy");
  EXPECT_EQ(status(Ask(With("grpc-encoding", "identity"), Message("x"))), "0");
  for (std::string path : {"Echo", "/", "//", "/t.Test", "/t.Test/", "/t.Test/Echo/More", "*"}) {
    EXPECT_THAT(status(Ask(GrpcRequest(path), Message("x"))), ::testing::AnyOf("12", "")) << path;
  }
  ExpectAlive();
}

TEST_F(GrpcServerRawTest, BrokenFramesEndTheConnection) {
  StartServer();
  const std::string headers = HeaderBlock(GrpcRequest("/t.Test/Echo"));
  const std::vector<std::string> broken{
      FrameBytes(RawFrame::kData, 0, 0, "x"),                                  // data of no stream
      FrameBytes(RawFrame::kData, 0, 1, "x"),                                  // data of an idle stream
      FrameBytes(RawFrame::kHeaders, kEndHeaders, 2, headers),                 // a server's stream
      FrameBytes(RawFrame::kHeaders, kEndHeaders, 1, "\xff\xff\xff\xff\xff"),  // no header block
      FrameBytes(RawFrame::kContinuation, kEndHeaders, 1, headers),            // continues nothing
      FrameBytes(RawFrame::kSettings, 0, 0, "12345"),
      FrameBytes(RawFrame::kSettings, 0, 1, ""),
      SettingsBytes({{4, 0xffffffff}}),  // a window too large
      SettingsBytes({{5, 1}}),           // frames too small
      FrameBytes(RawFrame::kPing, 0, 0, "short"),
      FrameBytes(RawFrame::kReset, 0, 1, BigEndian(8)),  // of an idle stream
      FrameBytes(RawFrame::kWindowUpdate, 0, 0, BigEndian(0)),
      FrameBytes(RawFrame::kWindowUpdate, 0, 0, BigEndian(0x7fffffff)),
      FrameBytes(RawFrame::kPush, kEndHeaders, 1, headers),
      std::string("\xff\xff\xff\x00\x00\x00\x00\x00\x01", 9),  // a frame of 16 MiB
      FrameBytes(RawFrame::kHeaders, 0, 1, headers) + FrameBytes(RawFrame::kPing, 0, 0, "12345678"),
  };
  for (size_t i = 0; i < broken.size(); ++i) {
    auto raw = Greeted();
    raw->Send(broken[i]);
    auto goaway = raw->Next(RawFrame::kGoAway);
    ASSERT_TRUE(goaway.has_value()) << i;
    EXPECT_NE(goaway->Word(4), 0u) << i;
    EXPECT_TRUE(raw->AtEnd()) << i;
  }
  ExpectAlive();
}

TEST_F(GrpcServerRawTest, MalformedRequestsResetTheirStreamOnly) {
  StartServer();
  auto raw = Greeted();
  uint32_t stream = 1;
  RawHeaders no_path = GrpcRequest("/t.Test/Echo");
  no_path.erase(no_path.begin() + 2);
  RawHeaders twice = GrpcRequest("/t.Test/Echo");
  twice.insert(twice.begin(), {":method", "POST"});
  RawHeaders upper = With("X-Upper", "1"), connection = With("connection", "close");
  for (const RawHeaders& headers : {no_path, twice, upper, connection}) {
    raw->SendHeaders(stream, headers, true);
    EXPECT_NE(HeaderValue(raw->ReadAnswer(stream), "reset"), "") << stream;
    stream += 2;
  }
  RawHeaders large = GrpcRequest("/t.Test/Echo");
  for (int i = 0; i < 30; ++i) large.emplace_back("x-" + std::to_string(i), std::string(10'000, 'x'));
  std::string block = HeaderBlock(large);
  raw->SendFrame(RawFrame::kHeaders, kEndStream, stream, block.substr(0, 16'000));
  for (size_t at = 16'000; at < block.size(); at += 16'000) {
    bool last = at + 16'000 >= block.size();
    raw->SendFrame(RawFrame::kContinuation, last ? kEndHeaders : 0, stream, std::string_view(block).substr(at, 16'000));
  }
  RawHeaders answer = raw->ReadAnswer(stream);
  EXPECT_TRUE(HeaderValue(answer, "reset") != "" || answer.back().first == "lost");
  ExpectAlive();
}

TEST_F(GrpcServerRawTest, ClientThatGivesNoWindowStopsItsHandler) {
  std::atomic<int> written{0};
  Tally ended;
  methods_["/t.Test/Endless"] = [&](GrpcServerCall& call) -> GrpcStatus {
    Status status;
    while ((status = call.Write(std::string(1000, 'x'))).ok()) ++written;
    ended.Add();
    return status;
  };
  StartServer();
  auto raw = Greeted({{4, 0}});  // no window
  RawHeaders headers = GrpcRequest("/t.Test/Endless");
  headers.emplace_back("grpc-timeout", "200m");
  raw->SendHeaders(1, headers, true);
  ended.WaitFor(1);
  EXPECT_GT(written, 100);
  EXPECT_LE(written, 300);  // the pipe's 256 KiB
  // The answer waits for a window, then goes out.
  raw->SendFrame(RawFrame::kWindowUpdate, 0, 1, BigEndian(1 << 20));
  raw->SendFrame(RawFrame::kWindowUpdate, 0, 0, BigEndian(1 << 20));
  EXPECT_EQ(HeaderValue(raw->ReadAnswer(1), "grpc-status"), "4");

  // Without a deadline, the loss of the connection ends it.
  auto second = Greeted({{4, 0}});
  second->SendHeaders(1, GrpcRequest("/t.Test/Endless"), true);
  auto answered = second->Next(RawFrame::kHeaders);
  ASSERT_TRUE(answered.has_value());
  second->Close();
  ended.WaitFor(2);
}

TEST_F(GrpcServerRawTest, ResetsAndLostConnectionsCancelHandlers) {
  StartServer();
  auto raw = Greeted();
  raw->SendHeaders(1, GrpcRequest("/t.Test/Wait"), false);
  waiting_.WaitFor(1);
  raw->SendFrame(RawFrame::kReset, 0, 1, BigEndian(8));
  waited_.WaitFor(1);
  EXPECT_EQ(WaitStatus().message, "the client cancelled the call");
  raw->SendHeaders(3, GrpcRequest("/t.Test/Wait"), false);
  waiting_.WaitFor(2);
  raw->Close();
  waited_.WaitFor(2);
  EXPECT_THAT(WaitStatus().message, HasSubstr("the client went away"));
}

TEST_F(GrpcServerRawTest, UnreadRequestsAreBounded) {
  server_options_.window_bytes = 100'000;
  Tally release;
  methods_["/t.Test/Late"] = [&](GrpcServerCall& call) -> GrpcStatus {
    waiting_.Add();
    release.WaitFor(1);
    std::string message;
    size_t sum = 0;
    while (true) {
      auto got = call.Read(&message);
      if (!got.ok()) return got.status();
      if (!*got) return call.Write(std::to_string(sum));
      sum += message.size();
    }
  };
  StartServer();
  auto raw = Greeted();
  (void)raw->Next(RawFrame::kSettings);
  raw->SendHeaders(1, GrpcRequest("/t.Test/Late"), false);
  waiting_.WaitFor(1);
  // Exactly the window fits.
  std::string bytes;
  for (int i = 0; i < 100; ++i) bytes += Message(std::string(995, 'x'));
  for (size_t at = 0; at < bytes.size(); at += 10'000) {
    raw->SendFrame(RawFrame::kData, 0, 1, std::string_view(bytes).substr(at, 10'000));
  }
  raw->SendFrame(RawFrame::kPing, 0, 0, "12345678");
  while (true) {  // no stream window opens before the handler reads
    auto frame = raw->Next();
    ASSERT_TRUE(frame.has_value());
    EXPECT_FALSE(frame->type == RawFrame::kWindowUpdate && frame->stream != 0);
    if (frame->type == RawFrame::kPing) break;
  }
  release.Add();
  std::optional<RawFrame> update;
  do {
    update = raw->Next(RawFrame::kWindowUpdate);
  } while (update && update->stream != 1);
  ASSERT_TRUE(update.has_value());
  raw->SendFrame(RawFrame::kData, kEndStream, 1, Message("x"));
  EXPECT_EQ(HeaderValue(raw->ReadAnswer(1), "grpc-status"), "0");

  // More than the window is a flow control error.
  auto rude = Greeted();
  rude->SendHeaders(1, GrpcRequest("/t.Test/Late"), false);
  for (int i = 0; i < 20; ++i) rude->SendFrame(RawFrame::kData, 0, 1, std::string(10'000, '\0'));
  RawHeaders answer = rude->ReadAnswer(1);
  EXPECT_TRUE(HeaderValue(answer, "reset") == "3" || answer.back().first == "lost" ||
              HeaderValue(answer, "grpc-status") != "");
}

TEST_F(GrpcServerRawTest, TooManyStreamsAreRefused) {
  server_options_.streams_max = 3;
  StartServer();
  // A client that has not heard of the limit yet may try again.
  auto eager = Greeted();
  for (uint32_t stream : {1, 3, 5, 7}) eager->SendHeaders(stream, GrpcRequest("/t.Test/Wait"), false);
  EXPECT_EQ(HeaderValue(eager->ReadAnswer(7), "reset"), "7");
  // One that has, and goes over it, is at fault.
  auto rude = Greeted();
  (void)rude->Next(RawFrame::kSettings);  // its acknowledgement goes out
  for (uint32_t stream : {1, 3, 5, 7}) rude->SendHeaders(stream, GrpcRequest("/t.Test/Wait"), false);
  auto goaway = rude->Next(RawFrame::kGoAway);
  ASSERT_TRUE(goaway.has_value());
  EXPECT_EQ(goaway->Word(4), 1u);
}

TEST_F(GrpcServerRawTest, ResetsDoNotPileUpHandlers) {
  server_options_.streams_max = 10;
  Tally release;
  std::atomic<int> ran{0};
  methods_["/t.Test/Stuck"] = [&](GrpcServerCall&) -> GrpcStatus {
    ++ran;
    release.WaitFor(1);
    return {};
  };
  StartServer();
  auto raw = Greeted();
  uint32_t stream = 1;
  for (int i = 0; i < 500; ++i, stream += 2) {
    raw->SendHeaders(stream, GrpcRequest("/t.Test/Stuck"), false);
    raw->SendFrame(RawFrame::kReset, 0, stream, BigEndian(8));
  }
  raw->SendFrame(RawFrame::kPing, 0, 0, "12345678");
  auto pong = raw->Next(RawFrame::kPing);
  ASSERT_TRUE(pong.has_value());
  raw->Close();
  release.Add();
  server_->Shutdown(kLong);
  EXPECT_LE(ran, 20);
}

TEST_F(GrpcServerRawTest, PingsTooOftenEndTheConnection) {
  StartServer();
  auto raw = Greeted();
  raw->SendHeaders(1, GrpcRequest("/t.Test/Wait"), false);
  waiting_.WaitFor(1);
  for (int i = 0; i < 5; ++i) raw->SendFrame(RawFrame::kPing, 0, 0, "12345678");
  auto goaway = raw->Next(RawFrame::kGoAway);
  ASSERT_TRUE(goaway.has_value());
  EXPECT_EQ(goaway->Word(4), 11u);
  EXPECT_EQ(goaway->payload.substr(8), "too_many_pings");
  EXPECT_TRUE(raw->AtEnd());
  waited_.WaitFor(1);
}

TEST_F(GrpcServerRawTest, OldConnectionsAreAskedToEnd) {
  server_options_.max_connection_age = milliseconds(20);
  server_options_.max_connection_age_grace = milliseconds(20);
  StartServer();
  auto idle = Greeted();
  auto goaway = idle->Next(RawFrame::kGoAway);
  ASSERT_TRUE(goaway.has_value());
  EXPECT_EQ(goaway->Word(4), 0u);
  EXPECT_TRUE(idle->AtEnd());
  auto busy = Greeted();
  busy->SendHeaders(1, GrpcRequest("/t.Test/Wait"), false);
  waiting_.WaitFor(1);
  EXPECT_TRUE(busy->AtEnd());
  waited_.WaitFor(1);
}

TEST_F(GrpcServerRawTest, MutatedConversationsNeverBringItDown) {
  StartServer();
  std::string talk = std::string(kHttp2Preface) + SettingsBytes({{4, 100'000}}) +
                     FrameBytes(RawFrame::kHeaders, kEndHeaders, 1, HeaderBlock(GrpcRequest("/t.Test/Chat"))) +
                     FrameBytes(RawFrame::kData, 0, 1, Message("hello") + Message("there")) +
                     FrameBytes(RawFrame::kWindowUpdate, 0, 1, BigEndian(1000)) +
                     FrameBytes(RawFrame::kHeaders, kEndHeaders, 3, HeaderBlock(With("grpc-encoding", "gzip"))) +
                     FrameBytes(RawFrame::kData, kEndStream, 3, Message("hello", 1)) +
                     FrameBytes(RawFrame::kReset, 0, 1, BigEndian(8));
  std::minstd_rand random(7);
  for (int round = 0; round < 500; ++round) {
    std::string bytes = talk;
    for (int i = 0; i < 3; ++i) {
      size_t at = kHttp2Preface.size() + random() % (bytes.size() - kHttp2Preface.size());
      bytes[at] = static_cast<char>(random());
    }
    auto raw = RawHttp2::Connect(server_->port());
    raw->Send(bytes);
    if (round % 2 == 0) continue;  // half of them close at once
    raw->SendFrame(RawFrame::kPing, 0, 0, "12345678");
    raw->SendFrame(RawFrame::kGoAway, 0, 0, std::string(8, '\0'));
  }
  ExpectAlive();
}

}  // namespace
}  // namespace gauntlet::net
