#include "cache/config.h"

#include <algorithm>

#include "config/decoder.h"
#include "config/durations.h"

namespace gauntlet::cache {
namespace {

using config::Decoder;

void Milliseconds(Decoder& d, std::string_view name, std::chrono::milliseconds* out) {
  std::chrono::nanoseconds value;
  if (config::GoDurationField(d, name, &value)) *out = std::chrono::ceil<std::chrono::milliseconds>(value);
}

void Whole(Decoder& d, std::string_view name, uint32_t* out) {
  uint64_t value = 0;
  if (d.Field(name, &value)) *out = static_cast<uint32_t>(std::min<uint64_t>(value, UINT32_MAX));
}

void DecodeBreaker(Decoder& d, CircuitBreakerOptions* out) {
  d.Object("set_async_circuit_breaker_config", "cacheutil.CircuitBreakerConfig", [&](Decoder& breaker) {
    breaker.Field("enabled", &out->enabled);
    Whole(breaker, "half_open_max_requests", &out->half_open_max_requests);
    Milliseconds(breaker, "open_duration", &out->open_duration);
    Whole(breaker, "min_requests", &out->min_requests);
    Whole(breaker, "consecutive_failures", &out->consecutive_failures);
    breaker.Field("failure_percent", &out->failure_percent);
    if (out->enabled && out->consecutive_failures == 0)
      breaker.Fail("consecutive_failures", "circuit breaker: consecutive failures must be greater than 0");
    if (out->enabled && (out->failure_percent <= 0 || out->failure_percent > 1))
      breaker.Fail("failure_percent", "circuit breaker: failure percent must be in range (0,1]");
    breaker.IgnoreOthers();
  });
}

void DecodeTls(Decoder& d, std::optional<net::TlsClientOptions>* out) {
  bool enabled = false;
  net::TlsClientOptions tls;
  d.Field("tls_enabled", &enabled);
  d.Object("tls_config", "cacheutil.TLSConfig", [&](Decoder& files) {
    std::string version;
    files.Field("ca_file", &tls.ca_file);
    files.Field("cert_file", &tls.cert_file);
    files.Field("key_file", &tls.key_file);
    files.Field("server_name", &tls.server_name);
    files.Field("insecure_skip_verify", &tls.skip_verify);
    files.Field("min_version", &version);
    files.IgnoreOthers();
    if (!enabled) return;
    if (tls.cert_file.empty() != tls.key_file.empty())
      files.Fail(tls.cert_file.empty() ? "key_file" : "cert_file", "both client key and certificate must be provided");
    if (version.empty()) return;
    Result<net::TlsVersion> parsed = net::ParseTlsVersion(version);
    if (parsed.ok()) {
      tls.min_version = *parsed;
    } else {
      files.Fail("min_version", "tls_config.min_version invalid: " + std::string(parsed.status().message()));
    }
  });
  if (enabled) *out = std::move(tls);
}

}  // namespace

Result<MemcachedConfig> ParseMemcachedConfig(const config::Node& node) {
  MemcachedConfig c;
  GN_TRY(config::DecodeNode(node, "cacheutil.MemcachedClientConfig", [&](Decoder& d) {
    d.Field("addresses", &c.addresses);
    Milliseconds(d, "timeout", &c.timeout);
    d.Field("max_idle_connections", &c.max_idle_connections);
    d.Field("max_async_concurrency", &c.max_async_concurrency);
    d.Field("max_async_buffer_size", &c.max_async_buffer_size);
    d.Field("max_get_multi_concurrency", &c.max_get_multi_concurrency);
    d.Field("max_get_multi_batch_size", &c.max_get_multi_batch_size);
    d.Bytes("max_item_size", &c.max_item_size);
    Milliseconds(d, "dns_provider_update_interval", &c.dns_provider_update_interval);
    d.Field("auto_discovery", &c.auto_discovery);
    DecodeTls(d, &c.tls);
    DecodeBreaker(d, &c.set_circuit_breaker);
    d.IgnoreOthers();
  }));
  if (c.addresses.empty()) return Status(Code::kInvalid, "no memcached addresses provided");
  if (c.dns_provider_update_interval.count() <= 0)
    return Status(Code::kInvalid, "DNS provider update interval must be positive");
  if (c.max_async_concurrency <= 0) return Status(Code::kInvalid, "max async concurrency must be positive");
  return c;
}

Result<RedisConfig> ParseRedisConfig(const config::Node& node) {
  RedisConfig c;
  std::string addresses;
  GN_TRY(config::DecodeNode(node, "cacheutil.RedisClientConfig", [&](Decoder& d) {
    d.Field("addr", &addresses);
    d.Field("prefix", &c.prefix);
    d.Field("username", &c.username);
    d.Field("password", &c.password);
    d.Field("db", &c.db);
    Milliseconds(d, "dial_timeout", &c.dial_timeout);
    Milliseconds(d, "read_timeout", &c.read_timeout);
    Milliseconds(d, "write_timeout", &c.write_timeout);
    d.Field("max_get_multi_concurrency", &c.max_get_multi_concurrency);
    d.Field("get_multi_batch_size", &c.get_multi_batch_size);
    d.Field("max_set_multi_concurrency", &c.max_set_multi_concurrency);
    d.Field("set_multi_batch_size", &c.set_multi_batch_size);
    d.Bytes("cache_size", &c.cache_size);
    d.Field("master_name", &c.master_name);
    d.Field("max_async_buffer_size", &c.max_async_buffer_size);
    d.Field("max_async_concurrency", &c.max_async_concurrency);
    DecodeTls(d, &c.tls);
    DecodeBreaker(d, &c.set_circuit_breaker);
    d.IgnoreOthers();
  }));
  for (size_t at = 0; at < addresses.size();) {
    size_t comma = std::min(addresses.find(',', at), addresses.size());
    std::string address = addresses.substr(at, comma - at);
    std::erase(address, ' ');
    if (!address.empty()) c.addresses.push_back(std::move(address));
    at = comma + 1;
  }
  if (c.addresses.empty()) return Status(Code::kInvalid, "no redis addr provided");
  return c;
}

Result<MemoryConfig> ParseMemoryConfig(const config::Node& node) {
  MemoryConfig c;
  GN_TRY(config::DecodeNode(node, "cache.InMemoryCacheConfig", [&](Decoder& d) {
    d.Bytes("max_size", &c.max_size);
    d.Bytes("max_item_size", &c.max_item_size);
    d.IgnoreOthers();
  }));
  if (c.max_item_size > c.max_size) {
    return Status(Code::kInvalid, "max item size (" + std::to_string(c.max_item_size) +
                                      ") cannot be bigger than overall cache size (" + std::to_string(c.max_size) +
                                      ")");
  }
  return c;
}

}  // namespace gauntlet::cache
