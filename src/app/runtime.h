// Runtime: what every server component stands in: log, metrics, traces, probes, threads, and the two servers; started,
// run until a signal, and stopped in order.
//
// Threads: one thread (main) makes, runs and ends it; what it gives out is thread-safe.

#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "app/common_flags.h"
#include "base/cancel.h"
#include "base/executor.h"
#include "base/mutex.h"
#include "flags/app.h"
#include "net/grpc/grpc.h"
#include "rpc/health.h"
#include "rpc/method.h"
#include "rpc/observed_channel.h"
#include "server/grpc_options.h"
#include "server/http_host.h"
#include "server/middleware.h"
#include "server/prober.h"
#include "server/request_log.h"
#include "server/signals.h"
#include "telemetry/log.h"
#include "telemetry/metrics.h"
#include "telemetry/trace.h"
#include "tracing/tracing.h"

namespace gauntlet::app {

class Runtime {
 public:
  // `component` as Thanos names it in thanos_status and in Info.
  static Result<std::unique_ptr<Runtime>> Make(const GlobalFlags& flags, std::string component);
  ~Runtime();

  telemetry::Logger& logger() { return logger_; }
  telemetry::Registry& registry() { return registry_; }
  telemetry::Tracer& tracer() { return tracing_->tracer(); }
  server::Prober& prober() { return *prober_; }
  // For handlers and calls, which block; and for work, as wide as the machine.
  Executor& blocking() { return *blocking_; }
  Executor& workers() { return *workers_; }
  rpc::ClientInstruments client_instruments() { return {client_metrics_.get(), &tracing_->tracer()}; }

  // The rest happens in Run, in this order: HTTP listens (alive, not ready), `start` does what readiness needs, gRPC
  // listens, `background` runs on a thread of its own until its cancel, a signal ends it all. Returns the exit code.
  struct Plan {
    server::HttpOptions http;
    const net::HttpRouter* router = nullptr;
    bool serve_grpc = true;
    server::GrpcOptions grpc;
    rpc::MethodMap methods;  // without health and reflection
    std::function<Status(const Cancel&)> start;
    std::vector<std::function<void(const Cancel&)>> background;
    // A program that does its work in `start`: what runs beside that on a thread of its own, until its cancel; and that
    // all is over when `start` returns.
    std::function<void(const Cancel&)> beside;
    bool ends_after_start = false;
    server::RequestLogConfig request_log;
    std::function<void()> on_hangup;
  };
  int Run(Plan plan);
  // Run ends as with a signal, but with this error: its exit code is 1. Thread-safe.
  void End(Status why);

 private:
  explicit Runtime(const GlobalFlags& flags, std::string component);
  Status Serve(Plan& plan, const Cancel& cancel);
  Status ServeUntilStopped(Plan& plan, const Cancel& cancel);
  Result<std::unique_ptr<net::GrpcServer>> StartGrpc(Plan& plan, const net::GrpcServerOptions& options,
                                                     server::RequestLog& request_log);

  const std::string component_;
  server::Signals signals_;  // first: threads inherit its mask
  telemetry::Registry registry_;
  telemetry::Logger logger_;
  std::unique_ptr<server::Prober> prober_;
  std::unique_ptr<rpc::CallMetrics> client_metrics_;
  std::unique_ptr<ThreadPool> blocking_, workers_;
  std::unique_ptr<tracing::Tracing> tracing_;  // sends its last spans while the pools still run
  rpc::HealthService health_;
  CancelSource ending_;
  Mutex mutex_;
  Status end_status_ GN_GUARDED_BY(mutex_);
};

// Makes `body` what the command does. It sets the exit code, or returns why it could not even begin; that goes to
// standard error, and the code is 1.
void SetBody(flags::Command& command, std::function<Status(int* exit_code)> body);

// Bytes that queries may hold: `configured`, or if that is 0 nine tenths of what the process may use (cgroup, else the
// machine).
uint64_t ProcessMemoryLimit(uint64_t configured);

// The build's version, and the text of --version.
std::string Version();
std::string VersionText();

}  // namespace gauntlet::app
