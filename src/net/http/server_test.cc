#include "net/http/server.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <thread>

#include "base/executor.h"
#include "base/mutex.h"
#include "io/compress.h"
#include "net/http/testing/test_socket.h"

namespace gauntlet::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

// A flag that threads wait for.
class Event {
 public:
  void Set() {
    MutexLock lock(mutex_);
    set_ = true;
    changed_.NotifyAll();
  }
  bool Wait() {
    MutexLock lock(mutex_);
    auto end = steady_clock::now() + seconds(20);
    while (!set_ && changed_.WaitUntil(mutex_, end)) {
    }
    return set_;
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  bool set_ GN_GUARDED_BY(mutex_) = false;
};

// Blocks until `cancel` ends; false if it does not in 20 s.
bool WaitForEnd(const Cancel& cancel) {
  Event ended;
  auto registration = cancel.OnStop([&] { ended.Set(); });
  return ended.Wait();
}

class HttpServerTest : public testing::Test {
 protected:
  void Start(HttpService service, HttpServerOptions options = {}) {
    auto server = HttpServer::Start(std::move(options), std::move(service), pool_);
    ASSERT_TRUE(server.ok()) << server.status().message();
    server_ = *std::move(server);
  }
  void StartEcho(HttpServerOptions options = {}) {
    Start(
        [](HttpRequest& request, const Cancel&, HttpReply& reply) {
          (void)reply.Write(request.method + " " + request.path + " " + request.query + "|" + request.body);
        },
        std::move(options));
  }
  int port() const { return server_->port(); }

  ThreadPool pool_{"handlers", 16};
  std::unique_ptr<HttpServer> server_;
};

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

TEST_F(HttpServerTest, SlowHeadersAndSlowBodiesTimeOut) {
  StartEcho({.read_timeout = milliseconds(50)});
  for (const char* start : {"GET / HT", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc"}) {
    TestSocket client(port());
    ASSERT_TRUE(client.Send(start));
    EXPECT_EQ(client.ReadAnswer().status, 408);
  }
}

TEST_F(HttpServerTest, SlowlorisDoesNotRestartTheClock) {
  StartEcho({.read_timeout = milliseconds(200)});
  TestSocket client(port());
  ASSERT_TRUE(client.Send("GET / HTTP/1.1\r\nHost: h\r\n"));
  std::atomic<bool> over{false};
  std::thread dripper([&] {
    while (!over && client.Send("X: y\r\n")) std::this_thread::sleep_for(milliseconds(20));
  });
  EXPECT_EQ(client.ReadAnswer().status, 408);
  over = true;
  dripper.join();
}

TEST_F(HttpServerTest, IdleConnectionsAreClosed) {
  StartEcho({.idle_timeout = milliseconds(50)});
  TestSocket silent(port()), used(port());
  EXPECT_EQ(used.Ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n").status, 200);
  EXPECT_EQ(used.ReadToEnd(), "");
  EXPECT_EQ(silent.ReadToEnd(), "");
}

TEST_F(HttpServerTest, StreamsWithBoundedMemoryWhileTheClientIsSlow) {
  std::atomic<size_t> written{0};
  Event full;
  Status end;
  Start([&](HttpRequest&, const Cancel&, HttpReply& reply) {
    std::string part(100'000, 'x');
    for (int i = 0; i < 1000; ++i) {  // 100 MB
      if (end = reply.Write(part); !end.ok()) return;
      written += part.size();
    }
  });
  TestSocket client(port(), 16 << 10);
  ASSERT_TRUE(client.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
  EXPECT_NE(client.ReadSome(), "");
  // The handler gets as far as the buffers between it and the client, then stands still.
  size_t before;
  do {
    before = written;
    std::this_thread::sleep_for(milliseconds(50));
  } while (written != before);
  EXPECT_LT(before, 10u << 20);
  std::string rest = client.ReadSome();
  size_t got = 0;
  while (!rest.ends_with("\r\n0\r\n\r\n")) {
    got += rest.size();
    std::string more = client.ReadSome();
    ASSERT_FALSE(more.empty());
    rest = rest.substr(rest.size() - std::min<size_t>(rest.size(), 16)) + more;
    got -= std::min<size_t>(rest.size() - more.size(), 16);
  }
  EXPECT_GT(got, 90u << 20);
  EXPECT_EQ(written, 100u * 1'000'000u);
}

TEST_F(HttpServerTest, EndlessStreamsLetOthersIn) {
  Start([&](HttpRequest& request, const Cancel& cancel, HttpReply& reply) {
    if (request.path != "/stream") return (void)reply.Write("ok");
    std::string part(256 << 10, 'x');
    while (!cancel.stopped() && reply.Write(part).ok()) {
    }
  });
  TestSocket greedy(port());
  ASSERT_TRUE(greedy.Send("GET /stream HTTP/1.1\r\nHost: h\r\n\r\n"));
  std::atomic<bool> over{false};
  std::thread reader([&] {
    while (!over && !greedy.ReadSome().empty()) {
    }
  });
  TestSocket other(port());
  for (int i = 0; i < 50; ++i) EXPECT_EQ(other.Ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n").body, "ok");
  over = true;
  reader.join();
}

TEST_F(HttpServerTest, ClientThatStopsReadingIsDroppedAfterTheWriteTimeout) {
  Event ended;
  Status end;
  Start(
      [&](HttpRequest&, const Cancel&, HttpReply& reply) {
        std::string part(100'000, 'x');
        while (end.ok()) end = reply.Write(part);
        ended.Set();
      },
      {.write_timeout = milliseconds(50)});
  TestSocket client(port(), 16 << 10);
  ASSERT_TRUE(client.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
  ASSERT_TRUE(ended.Wait());
  EXPECT_EQ(end.code(), Code::kUnavailable);
}

TEST_F(HttpServerTest, ClientThatGoesAwayEndsTheCancel) {
  for (int how = 0; how < 3; ++how) {
    Event begun, ended;
    bool cancelled = false;
    Start([&](HttpRequest&, const Cancel& cancel, HttpReply&) {
      begun.Set();
      cancelled = WaitForEnd(cancel);
      ended.Set();
    });
    TestSocket client(port());
    ASSERT_TRUE(client.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
    ASSERT_TRUE(begun.Wait());
    if (how == 0) client.Close();
    if (how == 1) client.Reset();
    if (how == 2) client.FinishWriting();
    ASSERT_TRUE(ended.Wait());
    EXPECT_TRUE(cancelled) << how;
    server_.reset();
  }
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

TEST_F(HttpServerTest, OldestIdleConnectionMakesRoom) {
  StartEcho({.connections_max = 2});
  TestSocket first(port());
  EXPECT_EQ(first.Ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n").status, 200);
  TestSocket second(port());
  EXPECT_EQ(second.Ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n").status, 200);
  TestSocket third(port());
  EXPECT_EQ(third.Ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n").status, 200);
  EXPECT_EQ(first.ReadToEnd(), "");
  EXPECT_EQ(second.Ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n").status, 200);
}

TEST_F(HttpServerTest, BusyConnectionsMakeNewOnesWait) {
  Event begun, go;
  Start(
      [&](HttpRequest& request, const Cancel&, HttpReply& reply) {
        if (request.path == "/slow") {
          begun.Set();
          go.Wait();
        }
        (void)reply.Write("done");
      },
      {.connections_max = 1});
  TestSocket busy(port());
  ASSERT_TRUE(busy.Send("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n"));
  ASSERT_TRUE(begun.Wait());
  TestSocket waiting(port());
  ASSERT_TRUE(waiting.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
  go.Set();
  EXPECT_EQ(busy.ReadAnswer().body, "done");
  EXPECT_EQ(waiting.ReadAnswer().body, "done");
}

TEST_F(HttpServerTest, ShutdownLetsRequestsEnd) {
  Event begun, go;
  Start([&](HttpRequest&, const Cancel&, HttpReply& reply) {
    begun.Set();
    go.Wait();
    (void)reply.Write("whole");
  });
  TestSocket idle(port()), busy(port());
  ASSERT_TRUE(busy.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
  ASSERT_TRUE(begun.Wait());
  std::thread stopper([&] { server_->Shutdown(seconds(20)); });
  EXPECT_EQ(idle.ReadToEnd(), "");
  go.Set();
  auto answer = busy.ReadAnswer();
  EXPECT_EQ(answer.body, "whole");
  EXPECT_TRUE(answer.Has("Connection: close"));
  busy.Close();
  stopper.join();
}

TEST_F(HttpServerTest, ShutdownDoesNotWaitForARequestThatDoesNotCome) {
  StartEcho({.read_timeout = milliseconds(0), .closing_patience = milliseconds(10)});
  TestSocket half_head(port()), half_body(port());
  ASSERT_TRUE(half_head.Send("GET / HTTP/1.1\r\nHo"));
  ASSERT_TRUE(half_body.Send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab"));
  server_->Shutdown(std::chrono::minutes(30));
  for (TestSocket* client : {&half_head, &half_body}) {
    std::string answer = client->ReadToEnd();  // nothing where not one byte had been read
    EXPECT_TRUE(answer.empty() || answer.starts_with("HTTP/1.1 408 ")) << answer;
  }
}

TEST_F(HttpServerTest, ShutdownLetsARequestArriveThatIsOnItsWay) {
  StartEcho({.closing_patience = std::chrono::minutes(30)});
  TestSocket idle(port()), half(port());
  ASSERT_TRUE(half.Send("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"));
  EXPECT_EQ(half.ReadSome(), "HTTP/1.1 100 Continue\r\n\r\n");
  std::thread stopper([&] { server_->Shutdown(std::chrono::minutes(30)); });
  EXPECT_EQ(idle.ReadToEnd(), "");
  ASSERT_TRUE(half.Send("hello"));
  auto answer = half.ReadAnswer();
  EXPECT_EQ(answer.status, 200);
  EXPECT_TRUE(answer.Has("Connection: close"));
  half.Close();
  stopper.join();
}

TEST_F(HttpServerTest, ShutdownCancelsAfterTheGrace) {
  Event begun;
  Start([&](HttpRequest&, const Cancel& cancel, HttpReply& reply) {
    begun.Set();
    EXPECT_TRUE(WaitForEnd(cancel));
    reply.SetStatus(503);
    (void)reply.Write(cancel.status().message());
  });
  TestSocket client(port());
  ASSERT_TRUE(client.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
  ASSERT_TRUE(begun.Wait());
  std::thread stopper([&] { server_->Shutdown(milliseconds(10)); });
  auto answer = client.ReadAnswer();
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.body, "the server is shutting down");
  client.Close();
  stopper.join();
}

TEST_F(HttpServerTest, DestructionWaitsForHandlersAndDropsWhatIsQueued) {
  ThreadPool one("one", 1);
  Event begun;
  std::atomic<int> served{0};
  auto server = HttpServer::Start(
      {},
      [&](HttpRequest&, const Cancel& cancel, HttpReply&) {
        ++served;
        begun.Set();
        WaitForEnd(cancel);
      },
      one);
  ASSERT_TRUE(server.ok());
  TestSocket running((*server)->port()), queued((*server)->port());
  ASSERT_TRUE(running.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
  ASSERT_TRUE(begun.Wait());
  ASSERT_TRUE(queued.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
  server->reset();
  EXPECT_EQ(served, 1);
  EXPECT_EQ(queued.ReadToEnd(), "");
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
