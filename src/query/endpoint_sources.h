// EndpointSources: where endpoints come from: flags, a configuration file, file discovery, DNS; as one list of
// specifications.
//
// Upstream: thanos cmd/thanos/query.go, endpointset.go
// Threads:  thread-safe. Run() blocks its thread.

#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/executor.h"
#include "base/mutex.h"
#include "discovery/dns_provider.h"
#include "discovery/file_discovery.h"
#include "net/dns.h"
#include "query/endpoint_config.h"
#include "query/endpoint_set.h"
#include "telemetry/log.h"
#include "telemetry/metrics.h"

namespace gauntlet::query {

struct EndpointSourceOptions {
  std::vector<std::string> endpoints, strict, groups, groups_strict;
  // The text of --endpoint.sd-config, read anew at each call; null: there is none.
  std::function<Result<std::string>()> load_config;
  std::chrono::milliseconds config_interval{300'000};
  std::vector<std::string> sd_files;
  std::chrono::milliseconds sd_interval{300'000}, dns_interval{30'000};
  discovery::DnsStyle dns_style = discovery::DnsStyle::kMiekgdns;
  std::vector<std::string> dns_servers;  // empty = the system's
  // Of endpoints without a configuration of their own.
  std::optional<net::TlsClientOptions> tls;
  net::GrpcCompression compression = net::GrpcCompression::kIdentity;
};

class EndpointSources {
 public:
  EndpointSources(EndpointSourceOptions options, Executor& executor, telemetry::Registry& registry,
                  telemetry::Logger logger);
  ~EndpointSources();

  // What is wrong with the options, before anything runs: a bad configuration file, a strict endpoint by DNS.
  Status Check();
  // Reads and resolves everything once.
  void Refresh(const Cancel& cancel);
  // Reads and resolves again at the intervals, and follows changes of discovery files.
  void Run(const Cancel& cancel);

  std::vector<EndpointSpec> Current() const;
  // Waits until the list may have changed, or `timeout`; false when cancelled.
  bool WaitForChange(const Cancel& cancel, std::chrono::milliseconds timeout);

 private:
  std::vector<EndpointConfig> Configured() const;
  void LoadConfig();
  void ResolveAll(const Cancel& cancel);
  void Changed();

  const EndpointSourceOptions options_;
  Executor& executor_;
  telemetry::Logger logger_;
  std::unique_ptr<net::DnsResolver> resolver_;
  discovery::DnsMetrics metrics_, old_metrics_;
  std::unique_ptr<discovery::DnsProvider> dns_;
  std::unique_ptr<discovery::FileDiscovery> files_;
  Status file_error_;
  mutable Mutex mutex_;
  CondVar changed_;
  uint64_t version_ GN_GUARDED_BY(mutex_) = 0;
  uint64_t seen_ GN_GUARDED_BY(mutex_) = 0;
  std::vector<EndpointConfig> from_file_ GN_GUARDED_BY(mutex_);
};

}  // namespace gauntlet::query
