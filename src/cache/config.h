// Configuration of caches that are servers, and of the one in memory, as Thanos' YAML says it.
//
// Format:  Thanos, "store", index cache and caching bucket: the part below `config`; unknown fields are ignored there
// Upstream: thanos pkg/cacheutil (memcached_client.go, redis_client.go), pkg/cache/inmemory.go
// Threads: values.

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "cache/circuit_breaker.h"
#include "config/secret.h"
#include "config/yaml.h"
#include "net/tls.h"

namespace gauntlet::cache {

struct MemcachedConfig {
  std::vector<std::string> addresses;
  std::chrono::milliseconds timeout{500};
  int max_idle_connections = 100;
  int max_async_concurrency = 20;
  int max_async_buffer_size = 10'000;
  int max_get_multi_concurrency = 100;
  int max_get_multi_batch_size = 0;
  uint64_t max_item_size = 1 << 20;
  std::chrono::milliseconds dns_provider_update_interval{10'000};
  bool auto_discovery = false;
  // tls_enabled and tls_config, as redis has them; the original knows no TLS here.
  std::optional<net::TlsClientOptions> tls;
  CircuitBreakerOptions set_circuit_breaker;
};

struct RedisConfig {
  std::vector<std::string> addresses;  // of `addr`, between commas
  std::string prefix, username;
  config::Secret password;
  int db = 0;
  std::chrono::milliseconds dial_timeout{5000}, read_timeout{3000}, write_timeout{3000};
  int max_get_multi_concurrency = 100, get_multi_batch_size = 100;
  int max_set_multi_concurrency = 100, set_multi_batch_size = 100;
  std::optional<net::TlsClientOptions> tls;
  std::string master_name;  // set: the addresses are sentinels
  uint64_t cache_size = 0;  // of what is kept in this process too (near_cache.h)
  int max_async_buffer_size = 10'000, max_async_concurrency = 20;
  CircuitBreakerOptions set_circuit_breaker;
};

struct MemoryConfig {
  uint64_t max_size = 250 << 20, max_item_size = 125 << 20;
};

Result<MemcachedConfig> ParseMemcachedConfig(const config::Node& node);
Result<RedisConfig> ParseRedisConfig(const config::Node& node);
Result<MemoryConfig> ParseMemoryConfig(const config::Node& node);

}  // namespace gauntlet::cache
