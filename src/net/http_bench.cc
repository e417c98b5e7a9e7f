// What a request costs around its handler.

#include <arpa/inet.h>
#include <benchmark/benchmark.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "base/executor.h"
#include "net/http_client.h"
#include "net/http_parse.h"
#include "net/http_reply.h"
#include "net/http_router.h"
#include "net/http_server.h"

namespace gauntlet::net {
namespace {

constexpr std::string_view kRequest =
    "GET /api/v1/query?query=up%7Bjob%3D%22node%22%7D&time=1700000000 HTTP/1.1\r\nHost: localhost:10902\r\n"
    "User-Agent: Grafana/11.0\r\nAccept-Encoding: gzip\r\nX-Request-Id: 01H0000000000000000000000\r\n\r\n";

class NullSink : public ReplySink {
 public:
  Status Send(std::string bytes) override {
    benchmark::DoNotOptimize(bytes.data());
    return Status();
  }
  bool Closing() const override { return false; }
};

void BM_ParseRequest(benchmark::State& state) {
  RequestParser parser({});
  for (auto _ : state) {
    parser.Feed(kRequest);
    parser.Next();
  }
}
BENCHMARK(BM_ParseRequest);

void BM_SmallReply(benchmark::State& state) {
  NullSink sink;
  for (auto _ : state) {
    ReplyWriter reply({}, sink);
    reply.headers().Set("Content-Type", "application/json");
    (void)reply.Write(R"({"status":"success","data":{"resultType":"vector","result":[]}})");
    reply.Finish();
  }
}
BENCHMARK(BM_SmallReply);

void BM_Route(benchmark::State& state) {
  HttpRouter router("/thanos");
  for (int i = 0; i < 40; ++i)
    router.Add("GET,POST", "/api/v1/path" + std::to_string(i), "x", [](auto&, auto&, auto&) {});
  router.Add("GET", "/api/v1/label/:name/values", "label_values", [](auto&, auto&, auto&) {});
  NullSink sink;
  HttpRequest request;
  request.method = "GET";
  request.path = "/thanos/api/v1/label/job/values";
  ReplyWriter reply({}, sink);
  for (auto _ : state) router.Serve(request, Cancel(), reply);
}
BENCHMARK(BM_Route);

// One keep-alive connection: both thread hand-overs and the socket are in it.
void BM_RoundTrip(benchmark::State& state) {
  ThreadPool pool("bench", 4);
  auto server =
      HttpServer::Start({}, [](HttpRequest&, const Cancel&, HttpReply& reply) { (void)reply.Write("ok"); }, pool);
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<uint16_t>((*server)->port()));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) state.SkipWithError("connect");
  char answer[4096];
  for (auto _ : state) {
    if (send(fd, kRequest.data(), kRequest.size(), 0) < 0 || recv(fd, answer, sizeof answer, 0) <= 0) {
      state.SkipWithError("connection lost");
    }
  }
  close(fd);
}
BENCHMARK(BM_RoundTrip)->UseRealTime();

// The server's chunks into the client's callback.
void BM_Stream64MiB(benchmark::State& state) {
  ThreadPool pool("bench", 4);
  auto server = HttpServer::Start(
      {},
      [](HttpRequest&, const Cancel&, HttpReply& reply) {
        reply.headers().Set("Content-Type", "application/octet-stream");
        std::string part(1 << 20, 'x');
        for (int i = 0; i < 64 && reply.Write(part).ok(); ++i) {
        }
      },
      pool);
  auto client = HttpClient::Make({.compression = false});
  HttpCall call{.url = "http://127.0.0.1:" + std::to_string((*server)->port()) + "/"};
  int64_t bytes = 0;
  for (auto _ : state) {
    Status status = (*client)->Stream(
        call, Cancel(), [](const HttpAnswer&) { return Status(); },
        [&](std::string_view part) {
          bytes += static_cast<int64_t>(part.size());
          return Status();
        });
    if (!status.ok()) state.SkipWithError("stream");
  }
  state.SetBytesProcessed(bytes);
}
BENCHMARK(BM_Stream64MiB)->UseRealTime();

}  // namespace
}  // namespace gauntlet::net
