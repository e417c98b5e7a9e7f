// HttpHost: the HTTP server of a component: its flags, the routes that every component has, web-config, shutdown.
//
//   net::HttpRouter router(prefix, middleware.Around());
//   router.Add("GET,POST", "/api/v1/query", "query", ...);
//   server::AddCommonRoutes(router, prober, registry);
//   GN_ASSIGN(auto host, HttpHost::Start(options, router, logger, executor));
//
// Threads: thread-safe.

#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "base/executor.h"
#include "base/status.h"
#include "flags/flag.h"
#include "net/http/router.h"
#include "net/http/server.h"
#include "server/prober.h"
#include "server/web_config.h"
#include "telemetry/log.h"
#include "telemetry/metrics.h"

namespace gauntlet::server {

struct HttpOptions {
  std::string address = "0.0.0.0:10902";
  std::chrono::milliseconds grace{120'000};
  std::string web_config_file;
  void Register(flags::FlagSet& flags);
};

// /-/healthy, /-/ready, /metrics, /debug/pprof/: outside any prefix and without middleware. All must outlive the
// router.
void AddCommonRoutes(net::HttpRouter& router, const Prober& prober, const telemetry::Registry& registry);

// Whether an Accept header prefers OpenMetrics to the text format.
bool PrefersOpenMetrics(std::string_view accept);

class HttpHost {
 public:
  // Listens at once. `router` and `executor` must outlive the host.
  static Result<std::unique_ptr<HttpHost>> Start(const HttpOptions& options, const net::HttpRouter& router,
                                                 const telemetry::Logger& logger, Executor& executor);
  ~HttpHost();

  int port() const { return server_->port(); }
  // Lets requests end for up to the grace period, then cancels them.
  void Shutdown();

 private:
  HttpHost(const HttpOptions& options, const net::HttpRouter& router, const telemetry::Logger& logger,
           std::unique_ptr<WebConfigFile> web_config);

  const HttpOptions options_;
  const net::HttpRouter& router_;
  const telemetry::Logger logger_;
  const std::unique_ptr<WebConfigFile> web_config_;
  std::unique_ptr<net::HttpServer> server_;
};

}  // namespace gauntlet::server
