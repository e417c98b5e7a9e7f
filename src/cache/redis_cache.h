// RedisCache: a cache in redis: one server, one behind sentinels, or a cluster; shared with every Thanos that has the
// same configuration.
//
// Upstream: thanos pkg/cacheutil/redis_client.go
// Threads:  thread-safe.

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cache/async_puts.h"
#include "cache/cache.h"
#include "cache/config.h"
#include "cache/environment.h"
#include "cache/redis_topology.h"
#include "server/gate.h"

namespace gauntlet::cache {

class RedisCache final : public Cache {
 public:
  // `name` is a label of the metrics. Connects when it is first used.
  RedisCache(RedisConfig config, const std::string& name, const Environment& environment);
  ~RedisCache() override;

  std::vector<CachedBytes> Get(std::span<const std::string> keys, const Cancel& cancel) override;
  void Put(std::string key, std::string value, std::chrono::seconds ttl) override;
  // Until what was put is written, or given up.
  void Drain() { puts_->Drain(); }

 private:
  void GetOne(const RedisServers& servers, const struct GetBatch& batch, const std::vector<std::string>& keys,
              std::vector<CachedBytes>* values, const Cancel& cancel);
  void Write(const std::vector<PutItem>& batch);
  void WriteTo(Server& server, const std::vector<const PutItem*>& items);
  // An answer that is an error: of a cluster that has moved the key, maybe.
  void Note(const Status& status);

  const RedisConfig config_;
  const Environment environment_;
  const std::string name_;
  telemetry::Histogram& get_seconds_;
  telemetry::Histogram& set_seconds_;
  std::unique_ptr<server::Gate> get_gate_, set_gate_;
  CircuitBreaker breaker_;
  RedisTopology topology_;
  CancelSource closing_;
  std::unique_ptr<AsyncPuts> puts_;  // the last: ends first
};

}  // namespace gauntlet::cache
