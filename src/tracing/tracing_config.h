// TracingConfig: where spans go and which are taken: --tracing.config.
//
// Format:   type: OTLP and config{client_type, endpoint, ...}, as Thanos'. Its other types are errors.
// Upstream: thanos pkg/tracing/otlp/config_yaml.go
// Threads:  a value.

#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "config/http_client_config.h"
#include "config/secret.h"

namespace gauntlet::tracing {

struct RetryConfig {
  bool enabled = true;
  std::chrono::nanoseconds initial_interval = std::chrono::seconds(5);
  std::chrono::nanoseconds max_interval = std::chrono::seconds(30);
  std::chrono::nanoseconds max_elapsed = std::chrono::minutes(1);
};

struct TracingConfig {
  enum class Client : uint8_t { kGrpc, kHttp };
  bool enabled = false;  // false: there is no configuration
  Client client = Client::kGrpc;
  std::string endpoint;      // "host:port"; empty = localhost and the protocol's port
  std::string url_path;      // of HTTP; empty = /v1/traces
  bool insecure = false;     // plain text
  bool gzip = false;         // of requests
  std::string service_name;  // empty = the component's
  std::map<std::string, std::string> resource_attributes;
  std::map<std::string, config::Secret> headers;
  std::chrono::nanoseconds timeout = std::chrono::seconds(10);
  RetryConfig retry;
  config::TlsConfig tls;
  double sample_ratio = 1;
  bool parent_based = true;
  std::vector<std::string> warnings;  // of what the original does not mind, and has no effect here
};

// "" = not enabled.
Result<TracingConfig> ParseTracingConfig(std::string_view yaml);

}  // namespace gauntlet::tracing
