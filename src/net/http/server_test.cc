#include "net/http/server.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <thread>

#include "io/compress.h"
#include "net/http/testing/server_fixture.h"
#include "net/http/testing/test_socket.h"

namespace gauntlet::net {
namespace {

TEST_F(HttpServerTest, ServesManyRequestsOnOneConnection) {
  StartEcho();
  TestSocket client(port());
  for (int i = 0; i < 100; ++i) {
    auto answer = client.Ask("GET /a%20b?n=" + std::to_string(i) + " HTTP/1.1\r\nHost: h\r\n\r\n");
    ASSERT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "GET /a b n=" + std::to_string(i) + "|");
  }
}

TEST_F(HttpServerTest, PipelinedRequestsAreAnsweredInOrder) {
  StartEcho();
  TestSocket client(port());
  std::string all;
  for (int i = 0; i < 200; ++i) {
    all += "POST /" + std::to_string(i) + " HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc";
  }
  ASSERT_TRUE(client.Send(all));
  client.FinishWriting();  // a pipelining client that has said all has not gone
  for (int i = 0; i < 200; ++i) EXPECT_EQ(client.ReadAnswer().body, "POST /" + std::to_string(i) + " |abc");
  EXPECT_EQ(client.ReadToEnd(), "");
}

TEST_F(HttpServerTest, PipelineLongerThanTheReadAheadIsServed) {
  StartEcho();
  TestSocket client(port());
  std::string body(10'000, 'x');
  std::thread writer([&] {
    for (int i = 0; i < 100; ++i) {
      client.Send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10000\r\n\r\n" + body);
    }
  });
  for (int i = 0; i < 100; ++i) EXPECT_EQ(client.ReadAnswer().body, "POST / |" + body);
  writer.join();
}

TEST_F(HttpServerTest, OldClientsAndCloseEndTheConnection) {
  StartEcho();
  for (const char* request : {"GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"}) {
    TestSocket client(port());
    auto answer = client.Ask(request);
    EXPECT_EQ(answer.status, 200);
    EXPECT_TRUE(answer.Has("Connection: close"));
    EXPECT_EQ(client.ReadToEnd(), "");
  }
  TestSocket client(port());
  EXPECT_TRUE(client.Ask("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").Has("Connection: keep-alive"));
  EXPECT_EQ(client.Ask("GET / HTTP/1.0\r\n\r\n").status, 200);
}

TEST_F(HttpServerTest, HeadHasNoBody) {
  StartEcho();
  TestSocket client(port());
  ASSERT_TRUE(client.Send("HEAD /x HTTP/1.1\r\nHost: h\r\n\r\n"));
  auto answer = client.ReadAnswer(true);
  EXPECT_TRUE(answer.Has("Content-Length: 9"));
  EXPECT_EQ(client.Ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n").status, 200);
}

TEST_F(HttpServerTest, MalformedRequestsGetTheirStatusAndTheServerLives) {
  StartEcho({.header_bytes_max = 4096, .body_bytes_max = 1000});
  const std::pair<std::string, int> cases[] = {
      {"nonsense\r\n\r\n", 400},
      {"GET /\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {"GET / HTTP/3.0\r\nHost: h\r\n\r\n", 400},
      {std::string("GET /\0 HTTP/1.1\r\nHost: h\r\n\r\n", 29), 400},
      {"GET / HTTP/1.1\r\nHost: h\r\nBad Header: x\r\n\r\n", 400},
      {"GET /" + std::string(5000, 'x'), 414},
      {"GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(5000, 'x'), 431},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\n\r\n", 413},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n", 413},
      {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: snappy\r\n\r\n", 501},
  };
  for (const auto& [request, status] : cases) {
    TestSocket client(port());
    auto answer = client.Ask(request);
    EXPECT_EQ(answer.status, status) << request.substr(0, 100);
    EXPECT_TRUE(answer.Has("Connection: close"));
    EXPECT_EQ(client.ReadToEnd(), "");
  }
  TestSocket client(port());
  EXPECT_EQ(client.Ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n").status, 200);
}

TEST_F(HttpServerTest, HugeQueryStringIsRefusedWithoutKeepingIt) {
  StartEcho();
  TestSocket client(port());
  rusage before{}, after{};
  getrusage(RUSAGE_SELF, &before);
  ASSERT_TRUE(client.Send("GET /?q="));
  std::string part(1 << 20, 'x');
  int sent = 0;
  while (sent < 100 && client.Send(part)) ++sent;  // the server reads on and drops, so that the answer arrives
  auto answer = client.ReadAnswer();
  EXPECT_EQ(answer.status, 414);
  EXPECT_NE(answer.body.find("1048576"), std::string::npos) << answer.body;
  getrusage(RUSAGE_SELF, &after);
  EXPECT_LT(after.ru_maxrss - before.ru_maxrss, 20 << 10) << "KiB";
}

TEST_F(HttpServerTest, ContinueIsSentOnlyWhenTheBodyIsWanted) {
  StartEcho({.body_bytes_max = 10});
  TestSocket client(port());
  ASSERT_TRUE(client.Send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"));
  EXPECT_EQ(client.ReadSome(), "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(client.Ask("ok").body, "POST / |ok");
  ASSERT_TRUE(client.Send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\nExpect: 100-continue\r\n\r\n"));
  EXPECT_TRUE(client.ReadSome().starts_with("HTTP/1.1 413 "));
}

TEST_F(HttpServerTest, CompressedBodiesAreDecodedWithinTheLimit) {
  StartEcho({.body_bytes_max = 100'000});
  TestSocket client(port());
  auto post = [&](std::string_view plain, std::string_view coding) {
    std::string body = io::GzipCompress(plain);
    return client.Ask("POST / HTTP/1.1\r\nHost: h\r\nContent-Encoding: " + std::string(coding) +
                      "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  };
  EXPECT_EQ(post("hello", "gzip").body, "POST / |hello");
  EXPECT_EQ(post(std::string(100'001, 'x'), "gzip").status, 413);
  EXPECT_EQ(post("hello", "deflate").body, "POST / |hello");
  EXPECT_TRUE(post("hello", "snappy").body.starts_with("POST / |\x1f"));  // left to the handler
}

TEST_F(HttpServerTest, AnswersAreCompressedWhenAccepted) {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += std::to_string(i) + ",";
  Start([&](HttpRequest&, const Cancel&, HttpReply& reply) {
    reply.headers().Set("Content-Type", "application/json");
    (void)reply.Write(text);
  });
  TestSocket client(port());
  auto packed = client.Ask("GET / HTTP/1.1\r\nHost: h\r\nAccept-Encoding: gzip\r\n\r\n");
  EXPECT_TRUE(packed.Has("Content-Encoding: gzip"));
  EXPECT_LT(packed.body.size(), text.size() / 2);
  EXPECT_TRUE(*io::GzipDecompress(packed.body, 10 << 20) == text);
  EXPECT_TRUE(client.Ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n").body == text);
}

TEST_F(HttpServerTest, HandlerThatThrowsCostsOneAnswer) {
  Start([&](HttpRequest& request, const Cancel&, HttpReply& reply) {
    if (request.path == "/late") (void)reply.Write(std::string(200'000, 'x'));
    if (request.path != "/fine") throw std::runtime_error("library");
  });
  TestSocket client(port());
  EXPECT_EQ(client.Ask("GET /early HTTP/1.1\r\nHost: h\r\n\r\n").status, 500);
  EXPECT_EQ(client.Ask("GET /fine HTTP/1.1\r\nHost: h\r\n\r\n").status, 200);
  auto cut = client.Ask("GET /late HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(cut.status, 200);
  EXPECT_FALSE(cut.complete);
}

TEST_F(HttpServerTest, AddressInUseIsAnError) {
  StartEcho();
  auto second = HttpServer::Start(
      {.address = "127.0.0.1:" + std::to_string(port())}, [](HttpRequest&, const Cancel&, HttpReply&) {}, pool_);
  EXPECT_EQ(second.status().code(), Code::kExists);
  for (const char* address : {"", "localhost", "127.0.0.1:x", "no.such.host.invalid:0"}) {
    EXPECT_FALSE(HttpServer::Start({.address = address}, nullptr, pool_).ok()) << address;
  }
}

TEST_F(HttpServerTest, ListensOnAllAddresses) {
  StartEcho({.address = ":0"});
  TestSocket client(port());
  EXPECT_EQ(client.Ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n").status, 200);
}

}  // namespace
}  // namespace gauntlet::net
