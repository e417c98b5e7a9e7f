#include "cache/config.h"

#include <gtest/gtest.h>

namespace gauntlet::cache {
namespace {

template <typename T>
Result<T> Parse(Result<T> (*parse)(const config::Node&), const std::string& yaml) {
  auto node = config::ParseYaml(yaml);
  if (!node.ok()) return node.status();
  return parse(**node);
}

TEST(MemcachedConfig, HasTheDefaultsOfThanos) {
  auto c = Parse(ParseMemcachedConfig, "addresses: [a:1]");
  ASSERT_TRUE(c.ok()) << c.status().message();
  EXPECT_EQ(c->addresses, std::vector<std::string>{"a:1"});
  EXPECT_EQ(c->timeout.count(), 500);
  EXPECT_EQ(c->max_item_size, 1u << 20);
  EXPECT_EQ(c->max_async_buffer_size, 10'000);
  EXPECT_EQ(c->dns_provider_update_interval.count(), 10'000);
  EXPECT_FALSE(c->tls || c->auto_discovery || c->set_circuit_breaker.enabled);
}

TEST(MemcachedConfig, ReadsEveryField) {
  auto c = Parse(ParseMemcachedConfig, R"(
addresses: ["dnssrv+_memcached._tcp.cache", b:2]
timeout: 2s
max_idle_connections: 3
max_async_concurrency: 4
max_async_buffer_size: 5
max_get_multi_concurrency: 6
max_get_multi_batch_size: 7
max_item_size: 16MiB
dns_provider_update_interval: 1m
auto_discovery: true
tls_enabled: true
tls_config: {ca_file: ca, server_name: cache, min_version: "1.3"}
set_async_circuit_breaker_config: {enabled: true, open_duration: 7s, min_requests: 8, consecutive_failures: 9,
  failure_percent: 0.5, half_open_max_requests: 10}
unknown_to_us: 1
)");
  ASSERT_TRUE(c.ok()) << c.status().message();
  EXPECT_EQ(c->addresses.size(), 2u);
  EXPECT_EQ(c->timeout.count(), 2000);
  EXPECT_EQ(c->max_get_multi_batch_size, 7);
  EXPECT_EQ(c->max_item_size, 16u << 20);
  EXPECT_TRUE(c->auto_discovery);
  ASSERT_TRUE(c->tls);
  EXPECT_EQ(c->tls->ca_file, "ca");
  EXPECT_EQ(c->tls->min_version, net::TlsVersion::k13);
  EXPECT_EQ(c->set_circuit_breaker.open_duration.count(), 7000);
  EXPECT_EQ(c->set_circuit_breaker.failure_percent, 0.5);
}

TEST(MemcachedConfig, RefusesWhatThanosRefuses) {
  EXPECT_EQ(Parse(ParseMemcachedConfig, "{}").status().message(), "no memcached addresses provided");
  EXPECT_EQ(Parse(ParseMemcachedConfig, "{addresses: [a], max_async_concurrency: 0}").status().message(),
            "max async concurrency must be positive");
  EXPECT_EQ(Parse(ParseMemcachedConfig, "{addresses: [a], dns_provider_update_interval: 0s}").status().message(),
            "DNS provider update interval must be positive");
  EXPECT_FALSE(Parse(ParseMemcachedConfig,
                     "{addresses: [a], set_async_circuit_breaker_config: {enabled: true, failure_percent: 2}}")
                   .ok());
  EXPECT_FALSE(Parse(ParseMemcachedConfig, "{addresses: [a], timeout: soon}").ok());
}

TEST(RedisConfig, ReadsEveryField) {
  auto c = Parse(ParseRedisConfig, R"(
addr: "one:1, two:2"
prefix: "thanos:"
username: u
password: p
db: 3
dial_timeout: 1s
read_timeout: 2s
write_timeout: 3s
get_multi_batch_size: 4
set_multi_batch_size: 5
cache_size: 1GiB
master_name: m
tls_enabled: false
tls_config: {ca_file: ca}
)");
  ASSERT_TRUE(c.ok()) << c.status().message();
  EXPECT_EQ(c->addresses, (std::vector<std::string>{"one:1", "two:2"}));
  EXPECT_EQ(c->password.value(), "p");
  EXPECT_EQ(c->db, 3);
  EXPECT_EQ(c->read_timeout.count(), 2000);
  EXPECT_EQ(c->master_name, "m");
  EXPECT_EQ(c->cache_size, 1u << 30);
  EXPECT_FALSE(c->tls);
}

TEST(RedisConfig, RefusesWhatThanosRefuses) {
  EXPECT_EQ(Parse(ParseRedisConfig, "{}").status().message(), "no redis addr provided");
  auto half = Parse(ParseRedisConfig, "{addr: a, tls_enabled: true, tls_config: {cert_file: c}}");
  ASSERT_FALSE(half.ok());
  EXPECT_NE(half.status().message().find("both client key and certificate must be provided"), std::string::npos);
  EXPECT_FALSE(Parse(ParseRedisConfig, "{addr: a, tls_enabled: true, tls_config: {min_version: \"9\"}}").ok());
}

TEST(MemoryConfig, RefusesAnItemLargerThanTheCache) {
  auto c = Parse(ParseMemoryConfig, "{max_size: 1MB, max_item_size: 2MB}");
  EXPECT_EQ(c.status().message(), "max item size (2097152) cannot be bigger than overall cache size (1048576)");
  EXPECT_EQ(Parse(ParseMemoryConfig, "{}")->max_size, 250u << 20);
}

}  // namespace
}  // namespace gauntlet::cache
