#include "config/http_client_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/durations.h"

namespace gauntlet::config {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using testing::HasSubstr;

std::string Error(std::string_view yaml) { return std::string(ParseHttpClientConfig(yaml).status().message()); }

TEST(HttpClientConfig, ReadsAllFields) {
  auto config = ParseHttpClientConfig(
      "basic_auth: {username: u, password: p}\n"
      "proxy_url: http://proxy:1\n"
      "tls_config: {ca_file: ca, cert_file: c, key_file: k, server_name: s, insecure_skip_verify: true}\n"
      "transport_config:\n  max_idle_conns: 1\n  max_idle_conns_per_host: 2\n  idle_conn_timeout: 90000000000\n"
      "  response_header_timeout: 1.5s\n  expect_continue_timeout: 4\n  max_conns_per_host: 5\n"
      "  disable_compression: true\n  tls_handshake_timeout: 6\n  dialer_timeout: 1m\n");
  ASSERT_TRUE(config.ok()) << config.status().message();
  EXPECT_EQ(config->basic_username, "u");
  EXPECT_EQ(config->basic_password.value(), "p");
  EXPECT_EQ(config->tls.server_name, "s");
  EXPECT_TRUE(config->tls.insecure_skip_verify);
  EXPECT_EQ(config->transport.idle_conn_timeout, seconds(90));
  EXPECT_EQ(config->transport.response_header_timeout, milliseconds(1500));
  EXPECT_EQ(config->transport.expect_continue_timeout, nanoseconds(4));
  EXPECT_EQ(config->transport.dialer_timeout, seconds(60));
  EXPECT_TRUE(config->transport.disable_compression);
  EXPECT_EQ(ParseHttpClientConfig("")->transport.max_idle_conns, 100);
}

TEST(HttpClientConfig, RefusesContradictions) {
  EXPECT_THAT(Error("basic_auth: {username: u, password: p, password_file: f}\n"), HasSubstr("at most one of basic"));
  EXPECT_THAT(Error("bearer_token: a\nbearer_token_file: b\n"), HasSubstr("line 2: at most one of bearer_token"));
  EXPECT_THAT(Error("bearer_token: a\nbasic_auth: {username: u}\n"), HasSubstr("line 2: at most one of basic_auth,"));
  EXPECT_THAT(Error("tls_config: {cert_file: c}\n"), HasSubstr("cert_file without key_file"));
  EXPECT_THAT(Error("transport_config: {dialer_timeout: 1x}\n"), HasSubstr("line 1: "));
}

TEST(HttpClientConfig, UnknownFieldsAreWarnedOf) {
  auto config = ParseHttpClientConfig(
      "tls_config: {ca: c}\nauthorization: {credentials_file: f}\nbasic_auth: {user: u}\ntransport_config: {idle: "
      "1}\n");
  ASSERT_TRUE(config.ok()) << config.status().message();
  EXPECT_THAT(config->ignored,
              testing::UnorderedElementsAre("field ca not found in type clientconfig.TLSConfig",
                                            "field authorization not found in type clientconfig.HTTPClientConfig",
                                            "field user not found in type clientconfig.BasicAuth",
                                            "field idle not found in type clientconfig.TransportConfig"));
}

TEST(PromDurationField, ReadsPrometheusDurations) {
  milliseconds value(5);
  EXPECT_TRUE(DecodeYaml("d: 1d2h\n", "T", [&](Decoder& d) { PromDurationField(d, "d", &value); }).ok());
  EXPECT_EQ(value, std::chrono::hours(26));
  EXPECT_FALSE(DecodeYaml("d: 1.5h\n", "T", [&](Decoder& d) { PromDurationField(d, "d", &value); }).ok());
  EXPECT_EQ(value, std::chrono::hours(26));
}

}  // namespace
}  // namespace gauntlet::config
