// gRPC over loopback, server and client in one process: streams of large and small messages, unary calls.

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/executor.h"
#include "net/grpc/grpc.h"

namespace gauntlet::net {
namespace {

struct Pair {
  ThreadPool pool{"handlers", 64};
  std::unique_ptr<GrpcServer> server;
  std::unique_ptr<GrpcChannel> channel;
};

Pair& Peers() {
  static Pair* pair = [] {
    auto* p = new Pair;
    std::map<std::string, GrpcHandler> methods;
    methods["/t.Test/Echo"] = [](GrpcServerCall& call) -> GrpcStatus {
      std::string message;
      auto got = call.Read(&message);
      return got.ok() ? call.Write(message) : got.status();
    };
    // "SIZE": answers of that size until the client has enough.
    methods["/t.Test/Endless"] = [](GrpcServerCall& call) -> GrpcStatus {
      std::string message;
      auto got = call.Read(&message);
      if (!got.ok()) return got.status();
      std::string answer(std::stoul(message), 'x');
      Status status;
      while ((status = call.Write(answer)).ok()) {
      }
      return status;
    };
    p->server = *GrpcServer::Start({}, methods, nullptr, p->pool);
    GrpcChannelOptions options;
    options.addresses = {"127.0.0.1:" + std::to_string(p->server->port())};
    p->channel = *GrpcChannel::Make(options);
    std::atexit([] {
      Peers().channel.reset();
      Peers().server.reset();
    });
    return p;
  }();
  return *pair;
}

void BM_GrpcStream(benchmark::State& state) {
  std::vector<std::unique_ptr<GrpcClientCall>> calls;
  for (int i = 0; i < state.range(1); ++i) {
    calls.push_back(Peers().channel->Start("/t.Test/Endless", {}, Cancel()));
    (void)calls.back()->Write(std::to_string(state.range(0))).ok();
    (void)calls.back()->WritesDone().ok();
  }
  std::string message;
  size_t next = 0;
  for (auto _ : state) {
    if (auto got = calls[next++ % calls.size()]->Read(&message); !got.ok() || !*got)
      state.SkipWithError("stream ended");
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_GrpcStream)
    ->ArgNames({"bytes", "streams"})
    ->Args({1 << 20, 1})
    ->Args({1 << 20, 8})
    ->Args({200, 1})
    ->UseRealTime();

void BM_GrpcUnary(benchmark::State& state) {
  std::string request(static_cast<size_t>(state.range(0)), 'x');
  for (auto _ : state) {
    if (auto answer = Peers().channel->Unary("/t.Test/Echo", request, {}, Cancel()); !answer.ok()) {
      state.SkipWithError(std::string(answer.status().message()).c_str());
    }
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_GrpcUnary)->Arg(10)->Arg(1 << 20)->UseRealTime();
BENCHMARK(BM_GrpcUnary)->Arg(10)->Threads(16)->UseRealTime();

}  // namespace
}  // namespace gauntlet::net
