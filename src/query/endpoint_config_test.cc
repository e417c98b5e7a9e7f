#include "query/endpoint_config.h"

#include <gtest/gtest.h>

namespace gauntlet::query {
namespace {

TEST(EndpointConfig, EndpointsTakeTheDefaultsOrTheirOwn) {
  auto config = ParseEndpointConfig(R"(
default_client_config:
  tls_config: {ca_file: /ca.pem}
  server_name: thanos
endpoints:
- address: a:1
- address: dns+b:2
  group: true
  service_config: '{"loadBalancingPolicy":"round_robin"}'
- address: c:3
  strict: true
  client_config:
    compression: snappy
    tls_config: {enabled: true, insecure_skip_verify: true, min_version: "1.2"}
)");
  ASSERT_TRUE(config.ok()) << config.status().message();
  ASSERT_EQ(config->size(), 3u);
  EXPECT_EQ((*config)[0].tls->ca_file, "/ca.pem");
  EXPECT_EQ((*config)[0].tls->server_name, "thanos");
  EXPECT_EQ((*config)[0].tls->min_version, net::TlsVersion::k13);
  EXPECT_TRUE((*config)[1].group);
  EXPECT_TRUE((*config)[2].strict);
  EXPECT_TRUE((*config)[2].tls->skip_verify);
  EXPECT_EQ((*config)[2].tls->min_version, net::TlsVersion::k12);
  EXPECT_EQ((*config)[2].compression, net::GrpcCompression::kSnappy);
}

TEST(EndpointConfig, NoTlsFieldsMeanPlainText) {
  auto config = ParseEndpointConfig("endpoints: [{address: 'a:1', client_config: {compression: none}}]");
  ASSERT_TRUE(config.ok());
  EXPECT_FALSE((*config)[0].tls.has_value());
}

TEST(EndpointConfig, MistakesNameTheirLine) {
  for (const char* bad :
       {"endpoints:\n- address: a:1\n  strikt: true\n", "endpoints:\n- strict: true\n",
        "endpoints:\n- address: dns+a:1\n  strict: true\n", "endpoints:\n- address: a:1\n  service_config: '{}'\n",
        "default_client_config: {compression: lz4}\n", "endpoints: 7\n"}) {
    auto config = ParseEndpointConfig(bad);
    ASSERT_FALSE(config.ok()) << bad;
    EXPECT_NE(config.status().message().find("line "), std::string_view::npos) << config.status().message();
  }
}

}  // namespace
}  // namespace gauntlet::query
