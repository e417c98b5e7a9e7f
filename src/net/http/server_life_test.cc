// How long connections live: slow clients, idle ones, those that go, and the end of the server.

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/mutex.h"
#include "net/http/testing/server_fixture.h"
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

class HttpServerLife : public HttpServerTest {};

TEST_F(HttpServerLife, SlowHeadersAndSlowBodiesTimeOut) {
  StartEcho({.read_timeout = milliseconds(50)});
  for (const char* start : {"GET / HT", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc"}) {
    TestSocket client(port());
    ASSERT_TRUE(client.Send(start));
    EXPECT_EQ(client.ReadAnswer().status, 408);
  }
}

TEST_F(HttpServerLife, SlowlorisDoesNotRestartTheClock) {
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

TEST_F(HttpServerLife, IdleConnectionsAreClosed) {
  StartEcho({.idle_timeout = milliseconds(50)});
  TestSocket silent(port()), used(port());
  EXPECT_EQ(used.Ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n").status, 200);
  EXPECT_EQ(used.ReadToEnd(), "");
  EXPECT_EQ(silent.ReadToEnd(), "");
}

TEST_F(HttpServerLife, StreamsWithBoundedMemoryWhileTheClientIsSlow) {
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

TEST_F(HttpServerLife, EndlessStreamsLetOthersIn) {
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

TEST_F(HttpServerLife, ClientThatStopsReadingIsDroppedAfterTheWriteTimeout) {
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

TEST_F(HttpServerLife, ClientThatGoesAwayEndsTheCancel) {
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

TEST_F(HttpServerLife, OldestIdleConnectionMakesRoom) {
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

TEST_F(HttpServerLife, BusyConnectionsMakeNewOnesWait) {
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

TEST_F(HttpServerLife, ShutdownLetsRequestsEnd) {
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

TEST_F(HttpServerLife, ShutdownDoesNotWaitForARequestThatDoesNotCome) {
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

TEST_F(HttpServerLife, ShutdownLetsARequestArriveThatIsOnItsWay) {
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

TEST_F(HttpServerLife, ShutdownCancelsAfterTheGrace) {
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

TEST_F(HttpServerLife, DestructionWaitsForHandlersAndDropsWhatIsQueued) {
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

}  // namespace
}  // namespace gauntlet::net
