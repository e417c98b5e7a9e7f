#include "net/http/client.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <set>
#include <thread>

#include "net/http/testing/client_fixture.h"
#include "net/socket.h"
#include "net/testing/certs.h"

namespace gauntlet::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

// Accepts connections one after the other; answers each with fixed bytes once it has read a request's head, then
// closes. With no bytes: reads and never answers.
class FixedServer {
 public:
  explicit FixedServer(std::string answer, bool stays_open = false)
      : answer_(std::move(answer)), stays_open_(stays_open), listener_(*ListenTcp("127.0.0.1:0")) {
    thread_ = std::thread([this] {
      while (!over_) {
        pollfd ready{listener_, POLLIN, 0};
        if (poll(&ready, 1, 10) != 1) continue;
        int fd = accept(listener_, nullptr, nullptr);
        if (fd >= 0) Serve(fd);
      }
    });
  }
  ~FixedServer() {
    over_ = true;
    thread_.join();
    close(listener_);
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(LocalPort(listener_)); }
  int accepted() const { return accepted_; }

 private:
  void Serve(int fd) {
    ++accepted_;
    std::string head;
    char part[4096];
    while (!over_ && head.find("\r\n\r\n") == std::string::npos) {
      pollfd ready{fd, POLLIN, 0};
      if (poll(&ready, 1, 10) != 1) continue;
      ssize_t n = recv(fd, part, sizeof part, 0);
      if (n <= 0) break;
      head.append(part, static_cast<size_t>(n));
    }
    while (!over_ && answer_.empty()) {
      pollfd gone{fd, POLLRDHUP, 0};
      if (poll(&gone, 1, 10) == 1) break;
    }
    if (!answer_.empty()) send(fd, answer_.data(), answer_.size(), MSG_NOSIGNAL);
    if (!stays_open_) shutdown(fd, SHUT_WR);
    while (!over_) {
      pollfd ready{fd, POLLIN, 0};
      if (poll(&ready, 1, 10) == 1 && recv(fd, part, sizeof part, 0) <= 0) break;
    }
    close(fd);
  }

  const std::string answer_;
  const bool stays_open_;
  const int listener_;
  std::atomic<bool> over_{false};
  std::atomic<int> accepted_{0};
  std::thread thread_;
};

TEST_F(HttpClientTest, MethodsHeadersAndBodies) {
  StartEcho();
  auto client = Make();
  EXPECT_EQ(Get(*client, url("/a%20b?x=%7B"))->body, "GET /a%20b?x=%7B\nUser-Agent=Gauntlet\n");
  auto post = client->Do({.method = "POST", .url = url(), .body = "a=1"}, Cancel());
  EXPECT_EQ(post->body, "POST /\nUser-Agent=Gauntlet\nContent-Length=3\na=1");
  HttpCall call{.method = "PUT", .url = url("/../x"), .body = std::string("\0\n", 2)};
  call.headers.Add("X-Test", "");
  call.headers.Add("Content-Type", "x/y");
  call.headers.Add("User-Agent", "me");
  EXPECT_EQ(client->Do(call, Cancel())->body,
            "PUT /../x\nUser-Agent=me\nContent-Type=x/y\nX-Test=\nContent-Length=2\n" + call.body);
  EXPECT_EQ(client->Do({.method = "POST", .url = url()}, Cancel())->body,
            "POST /\nUser-Agent=Gauntlet\nContent-Length=0\n");
  EXPECT_EQ(client->Do({.method = "DELETE", .url = url()}, Cancel())->body, "DELETE /\nUser-Agent=Gauntlet\n");
  auto head = client->Do({.method = "HEAD", .url = url()}, Cancel());
  EXPECT_EQ(head->body, "");
  EXPECT_EQ(head->headers.Get("content-length"), "27");
}

TEST_F(HttpClientTest, LargeBodiesGoOutWithoutExpect) {
  StartEcho();
  auto client = Make();
  std::string body(20 << 20, 'x');
  auto answer = client->Do({.method = "POST", .url = url(), .body = body}, Cancel());
  ASSERT_TRUE(answer.ok()) << answer.status().message();
  EXPECT_EQ(answer->body.find("Expect"), std::string::npos);
  EXPECT_TRUE(answer->body.ends_with(body));
}

TEST_F(HttpClientTest, ConnectionsAreKept) {
  StartEcho();
  auto client = Make();
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(Get(*client, url()).ok());
  auto all = peers();
  EXPECT_EQ(std::set<std::string>(all.begin(), all.end()).size(), 1u);
}

TEST_F(HttpClientTest, ConnectionThatTheServerClosedIsReplaced) {
  StartEcho({.idle_timeout = milliseconds(20)});
  auto client = Make();
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(Get(*client, url()).ok());
    std::this_thread::sleep_for(milliseconds(40));  // past the server's patience; either way the call must work
  }
}

TEST_F(HttpClientTest, ManyThreadsShareOneClient) {
  StartEcho();
  auto client = Make();
  std::atomic<int> good{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) good += Get(*client, url()).ok();
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(good, 400);
  auto all = peers();
  EXPECT_LE(std::set<std::string>(all.begin(), all.end()).size(), 8u);
}

TEST_F(HttpClientTest, AnyStatusIsAnAnswer) {
  Start([](HttpRequest&, const Cancel&, HttpReply& reply) {
    reply.SetStatus(503);
    (void)reply.Write("later");
  });
  auto answer = Get(*Make(), url());
  EXPECT_EQ(answer->status, 503);
  EXPECT_EQ(answer->body, "later");
}

TEST_F(HttpClientTest, GzipIsAskedForAndDecoded) {
  std::string text;
  for (int i = 0; i < 50'000; ++i) text += std::to_string(i) + ",";
  std::atomic<bool> asked{false};
  Start([&](HttpRequest& request, const Cancel&, HttpReply& reply) {
    asked = request.headers.Get("Accept-Encoding") == "gzip";
    (void)reply.Write(text);
  });
  EXPECT_TRUE(Get(*Make(), url())->body == text);
  EXPECT_TRUE(asked);
  EXPECT_TRUE(Get(*Make({.compression = false}), url())->body == text);
  EXPECT_FALSE(asked);
}

TEST_F(HttpClientTest, BodyLimitHoldsBeforeAndAfterDecoding) {
  Start([&](HttpRequest& request, const Cancel&, HttpReply& reply) {
    if (request.path == "/stream") (void)reply.Flush();
    (void)reply.Write(std::string(50'000, 'x'));
  });
  for (bool compression : {false, true}) {
    auto client = Make({.compression = compression});
    for (const char* path : {"/", "/stream"}) {
      EXPECT_EQ(client->Do({.url = url(path)}, Cancel(), 49'999).status().code(), Code::kExhausted);
      EXPECT_TRUE(client->Do({.url = url(path)}, Cancel(), 50'000).ok());
    }
  }
}

TEST_F(HttpClientTest, RedirectsAreFollowedUpToALimit) {
  Start([&](HttpRequest& request, const Cancel&, HttpReply& reply) {
    if (request.path == "/end") return (void)reply.Write(request.method + " end");
    reply.SetStatus(302);
    reply.headers().Set("Location", request.path == "/loop" ? "/loop" : "/end");
    (void)reply.Write("moved");
  });
  auto client = Make();
  EXPECT_EQ(Get(*client, url("/start"))->body, "GET end");
  EXPECT_EQ(client->Do({.method = "POST", .url = url("/start"), .body = "x"}, Cancel())->body, "GET end");
  EXPECT_EQ(Get(*client, url("/loop")).status().code(), Code::kInvalid);
  auto stay = Get(*Make({.follow_redirects = false}), url("/start"));
  EXPECT_EQ(stay->status, 302);
  EXPECT_EQ(stay->body, "moved");
}

TEST_F(HttpClientTest, AuthComesFromOptionsFilesAndUrl) {
  StartEcho();
  TestDir dir;
  std::ofstream(dir / "token") << "  t0ken \n";
  auto authorization = [&](HttpClientOptions options, std::string target = "") {
    auto body = Get(*Make(std::move(options)), target.empty() ? url() : target)->body;
    size_t at = body.find("Authorization=");
    return at == std::string::npos ? "" : body.substr(at + 14, body.find('\n', at) - at - 14);
  };
  EXPECT_EQ(authorization({}), "");
  EXPECT_EQ(authorization({.basic_username = "u", .basic_password = "p:w"}), "Basic dTpwOnc=");
  EXPECT_EQ(authorization({.basic_username = "u", .basic_password_file = dir / "token"}), "Basic dTp0MGtlbg==");
  EXPECT_EQ(authorization({.bearer_token = "abc"}), "Bearer abc");
  EXPECT_EQ(authorization({.bearer_token_file = dir / "token"}), "Bearer t0ken");
  std::string with_user = "http://u:p%3Aw@127.0.0.1:" + std::to_string(server_->port());
  EXPECT_EQ(authorization({}, with_user), "Basic dTpwOnc=");
  EXPECT_EQ(Get(*Make({.bearer_token_file = dir / "absent"}), url()).status().code(), Code::kUnavailable);
}

TEST_F(HttpClientTest, BearerTokenStaysWithItsHost) {
  StartEcho();
  std::string other = "http://localhost:" + std::to_string(server_->port()) + "/";
  auto redirecting = HttpServer::Start(
      {},
      [&](HttpRequest&, const Cancel&, HttpReply& reply) {
        reply.SetStatus(307);
        reply.headers().Set("Location", other);
      },
      pool_);
  std::string from = "http://127.0.0.1:" + std::to_string((*redirecting)->port());
  for (auto options : {HttpClientOptions{.bearer_token = "secret"}, HttpClientOptions{.basic_username = "u"}}) {
    auto answer = Get(*Make(options), from);
    ASSERT_TRUE(answer.ok());
    EXPECT_EQ(answer->body.find("Authorization"), std::string::npos) << answer->body;
  }
}

TEST_F(HttpClientTest, BadCallsAreInvalid) {
  auto client = Make();
  for (const char* bad : {"", "ftp://h/", "file:///etc/passwd", "http://", "http://h:0/", "http://a b/"}) {
    EXPECT_EQ(Get(*client, bad).status().code(), Code::kInvalid) << bad;
  }
  HttpCall injected{.url = "http://127.0.0.1:1/"};
  injected.headers.Add("X", "1\r\nY: 2");
  EXPECT_EQ(client->Do(injected, Cancel()).status().code(), Code::kInvalid);
  EXPECT_EQ(client->Do({.method = "GET /x", .url = "http://127.0.0.1:1/"}, Cancel()).status().code(), Code::kInvalid);
  EXPECT_FALSE(HttpClient::Make({.basic_username = "u", .bearer_token = "t"}).ok());
  EXPECT_FALSE(HttpClient::Make({.proxy_url = "nonsense"}).ok());
}

TEST_F(HttpClientTest, ConnectionTroubleIsUnavailableAndSaysWhere) {
  int fd = *ListenTcp("127.0.0.1:0");
  std::string closed = "http://user:secret@127.0.0.1:" + std::to_string(LocalPort(fd)) + "/p?query=long";
  close(fd);
  auto client = Make();
  Status status = Get(*client, closed).status();
  EXPECT_EQ(status.code(), Code::kUnavailable);
  EXPECT_NE(status.message().find("/p: "), std::string::npos) << status.message();
  EXPECT_NE(status.message().find("Connection refused"), std::string::npos) << status.message();
  EXPECT_EQ(status.message().find("secret"), std::string::npos) << status.message();
  EXPECT_EQ(Get(*client, "http://no-such-host.invalid/").status().code(), Code::kUnavailable);
  for (const char* answer : {"nonsense\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
                             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc", "HTTP/1.1 200 OK\r\nX",
                             "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc"}) {
    FixedServer server(answer);
    EXPECT_EQ(Get(*client, server.url()).status().code(), Code::kUnavailable) << answer;
  }
}

TEST_F(HttpClientTest, InterimAnswersAreSkipped) {
  FixedServer server(
      "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 2\r\n\r\nok");
  auto answer = Get(*Make(), server.url());
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->body, "ok");
  EXPECT_FALSE(answer->headers.Has("Link"));
}

TEST_F(HttpClientTest, StreamsABodyThatIsReadAsItIsSent) {
  StartEcho();
  auto client = Make();
  const std::string bytes = [] {
    std::string s;
    for (int i = 0; i < 700'000; ++i) s += static_cast<char>('a' + i % 23);
    return s;
  }();
  HttpCall call{.method = "PUT", .url = url()};
  call.streamed_bytes = bytes.size();
  call.streamed_body = [&](uint64_t offset, size_t n, std::string* out) {
    *out = bytes.substr(offset, n);
    return Status();
  };
  for (int i = 0; i < 3; ++i) {  // the later ones on a kept connection
    auto echo = client->Do(call, Cancel());
    ASSERT_TRUE(echo.ok()) << echo.status().message();
    EXPECT_TRUE(echo->body.starts_with("PUT /"));
    EXPECT_TRUE(echo->body.ends_with(bytes));
  }
  call.streamed_body = [&](uint64_t offset, size_t n, std::string* out) {
    if (offset > 100'000) return Status(Code::kCorrupt, "the disk");
    *out = bytes.substr(offset, n);
    return Status();
  };
  EXPECT_EQ(client->Do(call, Cancel()).status().message(), "the disk");
  call.streamed_bytes = 0;
  EXPECT_TRUE(client->Do(call, Cancel()).ok());
}

TEST_F(HttpClientTest, AnAnswerThatStallsIsADeadline) {
  FixedServer stalls("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", true);
  EXPECT_EQ(Get(*Make({.stall_timeout = milliseconds(50)}), stalls.url()).status().code(), Code::kDeadline);
}

TEST_F(HttpClientTest, TimeoutsAreDeadlines) {
  FixedServer silent("");
  CancelSource source(Cancel(), milliseconds(30));
  EXPECT_EQ(Get(*Make(), silent.url(), source.cancel()).status().code(), Code::kDeadline);
  EXPECT_EQ(Get(*Make({.timeout = milliseconds(30)}), silent.url()).status().code(), Code::kDeadline);
  EXPECT_EQ(Get(*Make({.header_timeout = milliseconds(30)}), silent.url()).status().code(), Code::kDeadline);
}

TEST_F(HttpClientTest, CancelEndsTheCallPromptly) {
  FixedServer silent("");
  auto client = Make();
  CancelSource source;
  steady_clock::time_point stopped_at;
  std::thread stopper([&] {
    while (silent.accepted() == 0) std::this_thread::yield();
    stopped_at = steady_clock::now();
    source.Stop();
  });
  Status status = Get(*client, silent.url(), source.cancel()).status();
  auto took = steady_clock::now() - stopped_at;
  stopper.join();
  EXPECT_EQ(status.code(), Code::kCancelled);
  EXPECT_LT(took, seconds(5));  // it takes microseconds; without the wake-up it would never end
  EXPECT_EQ(Get(*client, silent.url(), source.cancel()).status().code(), Code::kCancelled);
}

TEST_F(HttpClientTest, StreamGivesHeadThenBodyAsItComes) {
  Mutex mutex;
  CondVar changed;
  bool first_seen = false;
  Start([&](HttpRequest&, const Cancel&, HttpReply& reply) {
    reply.SetStatus(201);
    (void)reply.Write("first");
    (void)reply.Flush();
    MutexLock lock(mutex);
    while (!first_seen) changed.Wait(mutex);
    (void)reply.Write("second");
  });
  std::vector<std::string> seen;
  Status status = Make()->Stream(
      {.url = url()}, Cancel(),
      [&](const HttpAnswer& head) {
        seen.push_back(std::to_string(head.status) + head.body);
        return Status();
      },
      [&](std::string_view bytes) {
        seen.emplace_back(bytes);
        MutexLock lock(mutex);
        first_seen = true;
        changed.NotifyAll();
        return Status();
      });
  ASSERT_TRUE(status.ok()) << status.message();
  EXPECT_EQ(seen, (std::vector<std::string>{"201", "first", "second"}));
}

TEST_F(HttpClientTest, CallbackErrorsEndTheCallAsTheyAre) {
  Start([&](HttpRequest&, const Cancel&, HttpReply& reply) { (void)reply.Write(std::string(1 << 20, 'x')); });
  auto client = Make();
  auto fine = [](auto&&) { return Status(); };
  auto fails = [](auto&&) { return Status(Code::kCorrupt, "mine"); };
  EXPECT_EQ(client->Stream({.url = url()}, Cancel(), fails, fine).message(), "mine");
  EXPECT_EQ(client->Stream({.url = url()}, Cancel(), fine, fails).message(), "mine");
  EXPECT_TRUE(client->Stream({.url = url()}, Cancel(), fine, fine).ok());
}

TEST_F(HttpClientTest, SlowConsumerSlowsTheServer) {
  std::atomic<size_t> written{0};
  Start([&](HttpRequest&, const Cancel&, HttpReply& reply) {
    std::string part(100'000, 'x');
    while (written < 200'000'000 && reply.Write(part).ok()) written += part.size();
  });
  size_t got = 0, ahead_max = 0;
  Status status = Make({.compression = false})
                      ->Stream(
                          {.url = url()}, Cancel(), [](const HttpAnswer&) { return Status(); },
                          [&](std::string_view bytes) {
                            if (got == 0) {  // stand still until the server does
                              for (size_t before = 1; before != written;) {
                                before = written;
                                std::this_thread::sleep_for(milliseconds(50));
                              }
                              ahead_max = written;
                            }
                            got += bytes.size();
                            return Status();
                          });
  ASSERT_TRUE(status.ok()) << status.message();
  EXPECT_EQ(got, 200'000'000u);
  EXPECT_LT(ahead_max, 30u << 20);  // sockets' buffers
}

TEST_F(HttpClientTest, ProxyGetsTheWholeUrl) {
  StartEcho();
  auto client = Make({.proxy_url = url("")});
  auto answer = Get(*client, "http://prometheus.invalid:9090/api?x=1");
  ASSERT_TRUE(answer.ok()) << answer.status().message();
  EXPECT_TRUE(answer->body.starts_with("GET http://prometheus.invalid:9090/api?x=1\n")) << answer->body;
}

}  // namespace
}  // namespace gauntlet::net
