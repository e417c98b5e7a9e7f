#include "app/runtime.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <thread>
#include <utility>

#include "base/check.h"
#include "rpc/interceptor.h"
#include "rpc/reflection.h"
#include "server/request_log.h"
#include "telemetry/build_info.h"
#include "telemetry/process.h"

#ifndef GAUNTLET_VERSION
#define GAUNTLET_VERSION "0.0.0"
#endif

namespace gauntlet::app {
namespace {

// Each call in progress holds a thread; more than this wait.
constexpr size_t kBlockingThreads = 1024;

telemetry::LogLevel LevelOf(const std::string& text) {
  if (text == "debug") return telemetry::LogLevel::kDebug;
  if (text == "warn") return telemetry::LogLevel::kWarn;
  return text == "error" ? telemetry::LogLevel::kError : telemetry::LogLevel::kInfo;
}

telemetry::Logger::Options LogOptions(const GlobalFlags& flags) {
  telemetry::Logger::Options options;
  options.level = LevelOf(flags.log_level);
  // journald reads what a unit writes to stderr; logfmt is the better text there.
  options.format = flags.log_format == "json" ? telemetry::LogFormat::kJson : telemetry::LogFormat::kLogfmt;
  options.name = flags.debug_name;
  return options;
}

// Cores that this process may run on: fewer than the machine has under taskset or a container's CPU limit.
size_t UsableCores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  size_t cores = std::max(1u, std::thread::hardware_concurrency());
  if (sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) > 0) cores = static_cast<size_t>(CPU_COUNT(&set));
  std::ifstream cgroup("/sys/fs/cgroup/cpu.max");
  uint64_t quota = 0, period = 0;
  if (cgroup >> quota >> period && quota > 0 && period > 0) {  // "max" is no number
    cores = std::min<size_t>(cores, std::max<uint64_t>(1, (quota + period - 1) / period));
  }
  return cores;
}

}  // namespace

void SetBody(flags::Command& command, std::function<Status(int* exit_code)> body) {
  command.Run([path = command.path(), body = std::move(body)] {
    int exit_code = 1;
    Status status = body(&exit_code);
    if (!status.ok()) {
      std::fprintf(stderr, "gauntlet %s: error: %.*s\n", path.c_str(), static_cast<int>(status.message().size()),
                   status.message().data());
    }
    return exit_code;
  });
}

uint64_t ProcessMemoryLimit(uint64_t configured) {
  if (configured != 0) return configured;
  uint64_t limit = 0;
  std::ifstream cgroup("/sys/fs/cgroup/memory.max");
  if (!(cgroup >> limit) || limit == 0) {  // "max" is no number
    long pages = sysconf(_SC_PHYS_PAGES), page_bytes = sysconf(_SC_PAGE_SIZE);
    limit = static_cast<uint64_t>(pages) * static_cast<uint64_t>(page_bytes);
  }
  return limit / 10 * 9;
}

std::string Version() { return GAUNTLET_VERSION; }

std::string VersionText() {
  return "gauntlet, version " + Version() +
         "\n  platform:         linux/amd64\n  compatible with:  Thanos 0.43, Prometheus 3.14";
}

Runtime::Runtime(const GlobalFlags& flags, std::string component)
    : component_(std::move(component)),
      logger_(LogOptions(flags)),
      blocking_(std::make_unique<ThreadPool>("calls", kBlockingThreads)),
      workers_(std::make_unique<ThreadPool>("work", UsableCores())) {
  client_metrics_ = std::make_unique<rpc::CallMetrics>(registry_, rpc::CallMetrics::Side::kClient);
  prober_ = std::make_unique<server::Prober>(component_, registry_, logger_);
}

Runtime::~Runtime() = default;

Result<std::unique_ptr<Runtime>> Runtime::Make(const GlobalFlags& flags, std::string component) {
  std::unique_ptr<Runtime> runtime(new Runtime(flags, std::move(component)));
  telemetry::RegisterProcess(runtime->registry_);
  telemetry::RegisterBuildInfo(runtime->registry_, "thanos");
  GN_ASSIGN(std::string tracing_yaml, flags.tracing.Load());
  Result<tracing::TracingConfig> config = tracing::ParseTracingConfig(tracing_yaml);
  if (!config.ok()) return config.status().Wrap("--tracing.config");
  for (const std::string& warning : config->warnings)
    GN_LOG(runtime->logger_, kWarn, "--tracing.config", {"what", warning});
  GN_ASSIGN(runtime->tracing_, tracing::Tracing::Start(*config, "thanos-" + runtime->component_, runtime->registry_,
                                                       runtime->logger_, *runtime->blocking_));
  return runtime;
}

Result<std::unique_ptr<net::GrpcServer>> Runtime::StartGrpc(Plan& plan, const net::GrpcServerOptions& options,
                                                            server::RequestLog& request_log) {
  health_.Register(&plan.methods);
  rpc::RegisterReflection(&plan.methods);
  rpc::ServerInterceptorOptions interceptor_options;
  interceptor_options.registry = &registry_;
  interceptor_options.tracer = &tracing_->tracer();
  net::GrpcServer::Interceptor observe = rpc::MakeServerInterceptor(interceptor_options, plan.methods);
  net::GrpcServer::Interceptor log = request_log.GrpcInterceptor();
  auto both = [observe, log](net::GrpcServerCall& call, const net::GrpcHandler& next) {
    return observe(call, [&](net::GrpcServerCall& inner) { return log(inner, next); });
  };
  Result<std::unique_ptr<net::GrpcServer>> grpc = net::GrpcServer::Start(options, plan.methods, both, *blocking_);
  if (!grpc.ok()) return grpc.status().Wrap("listen for gRPC on " + options.address);
  GN_LOG(logger_, kInfo, "listening for serving gRPC", {"address", options.address}, {"component", component_});
  return grpc;
}

Status Runtime::Serve(Plan& plan, const Cancel& cancel) {
  CancelSource beside_source(cancel);
  std::thread beside;
  if (plan.beside) beside = std::thread([&] { plan.beside(beside_source.cancel()); });
  Status status = ServeUntilStopped(plan, cancel);
  beside_source.Stop();
  if (beside.joinable()) beside.join();
  return status;
}

Status Runtime::ServeUntilStopped(Plan& plan, const Cancel& cancel) {
  GN_ASSIGN(net::GrpcServerOptions grpc_options, plan.grpc.ToServerOptions());
  GN_ASSIGN(std::unique_ptr<server::HttpHost> http,
            server::HttpHost::Start(plan.http, *plan.router, logger_, *blocking_));
  prober_->SetHealthy();
  Status started = plan.start ? plan.start(cancel) : Status();
  server::RequestLog request_log(plan.request_log, logger_);
  std::unique_ptr<net::GrpcServer> grpc;
  if (started.ok() && plan.serve_grpc) {
    auto server = StartGrpc(plan, grpc_options, request_log);
    started = server.status();
    if (server.ok()) grpc = *std::move(server);
  }
  if (!started.ok() || plan.ends_after_start) {
    http->Shutdown();
    return started;
  }

  CancelSource background_source(cancel);
  std::vector<std::thread> background;
  background.reserve(plan.background.size());
  for (auto& task : plan.background)
    background.emplace_back([&task, &background_source] { task(background_source.cancel()); });
  std::string signal = signals_.WaitForStop(cancel, plan.on_hangup ? plan.on_hangup : [] {});
  GN_LOG(logger_, kInfo, "stopping", {"signal", signal}, {"component", component_});
  prober_->SetNotReady(Status(Code::kUnavailable, "stopping"));
  health_.ShutDown();
  if (grpc != nullptr) grpc->Shutdown(plan.grpc.grace);
  http->Shutdown();
  background_source.Stop();
  for (std::thread& thread : background) thread.join();
  return Status();
}

void Runtime::End(Status why) {
  {
    MutexLock lock(mutex_);
    if (end_status_.ok()) end_status_ = why;
  }
  ending_.Stop(std::move(why));
}

int Runtime::Run(Plan plan) {
  // A signal during `start` ends the wait there, too.
  std::thread watcher;
  bool start_may_wait = static_cast<bool>(plan.start);
  std::function<Status(const Cancel&)> start = std::move(plan.start);
  if (start_may_wait) {
    plan.start = [&](const Cancel& cancel) {
      CancelSource start_source(cancel), watch_source;
      std::string signal;
      watcher = std::thread([&] {
        signal = signals_.WaitForStop(watch_source.cancel(), [] {});
        if (!signal.empty()) start_source.Stop(Status(Code::kCancelled, "stopped by " + signal));
      });
      Status st = start(start_source.cancel());
      watch_source.Stop();
      watcher.join();
      return st.ok() && !signal.empty() ? Status(Code::kCancelled, "stopped by " + signal) : st;
    };
  }
  GN_LOG(logger_, kInfo, "starting gauntlet", {"component", component_}, {"version", Version()});
  Status st = Serve(plan, ending_.cancel());
  {
    MutexLock lock(mutex_);
    if (!end_status_.ok()) {
      GN_LOG(logger_, kError, "ended by an error", {"component", component_}, {"err", end_status_});
      return 1;
    }
  }
  if (st.code() == Code::kCancelled) {
    GN_LOG(logger_, kInfo, "stopped before it was ready", {"component", component_}, {"reason", st});
    return 0;
  }
  if (!st.ok() && plan.ends_after_start) {
    GN_LOG(logger_, kError, "not all is done", {"component", component_}, {"err", st});
    return 1;
  }
  if (!st.ok()) {
    GN_LOG(logger_, kError, "gauntlet cannot run", {"component", component_}, {"err", st});
    return 1;
  }
  GN_LOG(logger_, kInfo, "exiting", {"component", component_});
  return 0;
}

}  // namespace gauntlet::app
