// RequestLog: which HTTP and gRPC requests are logged, and how: --request.logging-config.
//
// Format:   Thanos, "Logging": options{level, decision{log_start, log_end}}, http{options, config[]}, grpc{...}
// Upstream: thanos pkg/logging
// Threads:  thread-safe.

#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "net/grpc/grpc.h"
#include "net/http/message.h"
#include "telemetry/log.h"

namespace gauntlet::server {

struct RequestLogOptions {
  std::optional<telemetry::LogLevel> level;  // nullopt: the section is absent
  bool log_start = false, log_end = false;
};

struct RequestLogConfig {
  struct Http {
    std::string path;
    int port = 0;
  };
  struct Grpc {
    std::string service, method;
  };
  // What holds for each protocol: its own options, or the global ones.
  RequestLogOptions http, grpc;
  // Only these are logged; empty = all.
  std::vector<Http> http_only;
  std::vector<Grpc> grpc_only;
};

// "" = nothing is logged.
Result<RequestLogConfig> ParseRequestLogConfig(std::string_view yaml);

class RequestLog {
 public:
  RequestLog(RequestLogConfig config, const telemetry::Logger& logger) : config_(std::move(config)), logger_(logger) {}

  struct Decision {
    bool start = false, end = false;
  };
  // The port is that of the Host header, as upstream's.
  Decision ForHttp(const net::HttpRequest& request) const;
  void HttpStarted(const net::HttpRequest& request) const;
  void HttpEnded(const net::HttpRequest& request, int status, std::chrono::nanoseconds took) const;

  Decision ForGrpc(std::string_view method) const;  // "/thanos.Store/Series"
  // Logs around each call that the configuration names.
  net::GrpcServer::Interceptor GrpcInterceptor() const;

 private:
  const RequestLogConfig config_;
  const telemetry::Logger logger_;
};

}  // namespace gauntlet::server
