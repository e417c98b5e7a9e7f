// MemcachedCache: a cache in memcached servers, shared with every Thanos that has the same configuration.
//
// Upstream: thanos pkg/cacheutil/memcached_client.go
// Threads:  thread-safe.

#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "cache/async_puts.h"
#include "cache/cache.h"
#include "cache/config.h"
#include "cache/environment.h"
#include "cache/server.h"
#include "discovery/dns_provider.h"
#include "net/dns.h"
#include "server/gate.h"

namespace gauntlet::cache {

class MemcachedCache final : public Cache {
 public:
  // `name` is a label of the metrics: "index-cache". Looks the servers up; that none is found now is only logged.
  MemcachedCache(MemcachedConfig config, const std::string& name, const Environment& environment);
  ~MemcachedCache() override;

  std::vector<CachedBytes> Get(std::span<const std::string> keys, const Cancel& cancel) override;
  void Put(std::string key, std::string value, std::chrono::seconds ttl) override;
  // Until what was put is written, or given up.
  void Drain() { puts_->Drain(); }
  // Looks the servers up again.
  Status Refresh(const Cancel& cancel);

 private:
  using Servers = std::vector<std::shared_ptr<Server>>;
  struct Instruments;

  std::shared_ptr<const Servers> servers();
  void RefreshWhenDue();
  Result<std::vector<std::string>> Discover(const Cancel& cancel);
  std::shared_ptr<Server> MakeServer(const std::string& address) const;
  void GetOne(const Servers& servers, const struct GetBatch& batch, std::span<const std::string> keys,
              std::vector<CachedBytes>* values, const Cancel& cancel);
  void Write(const std::vector<PutItem>& batch);

  const MemcachedConfig config_;
  const Environment environment_;
  const std::string name_;
  const std::unique_ptr<Instruments> instruments_;
  const std::unique_ptr<net::DnsResolver> resolver_;
  discovery::DnsMetrics dns_metrics_;
  discovery::DnsProvider addresses_;
  std::unique_ptr<server::Gate> gate_;
  CircuitBreaker breaker_;
  CancelSource closing_;
  Mutex mutex_;
  CondVar changed_;
  std::shared_ptr<const Servers> servers_ GN_GUARDED_BY(mutex_);
  std::chrono::steady_clock::time_point refreshed_ GN_GUARDED_BY(mutex_);
  bool refreshing_ GN_GUARDED_BY(mutex_) = false;
  std::unique_ptr<AsyncPuts> puts_;  // the last: ends first
};

}  // namespace gauntlet::cache
