#include "tracing/tracing_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gauntlet::tracing {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

std::string Error(std::string_view yaml) { return std::string(ParseTracingConfig(yaml).status().message()); }

TEST(ParseTracingConfig, ReadsAllFields) {
  auto config = ParseTracingConfig(
      "type: otlp\nconfig:\n  client_type: http\n  service_name: s\n  resource_attributes: {a: b}\n"
      "  reconnection_period: 1s\n  compression: gzip\n  insecure: true\n  endpoint: e:1\n  url_path: /p\n"
      "  timeout: 3s\n  retry_config: {retry_enabled: false, retry_initial_interval: 1s, retry_max_interval: 2s, "
      "retry_max_elapsed_time: 3000000000}\n  headers: {X-Key: secret}\n  tls_config: {ca_file: ca}\n"
      "  sampler_type: traceidratiobased\n  sampler_param: '0.25'\n");
  ASSERT_TRUE(config.ok()) << config.status().message();
  EXPECT_TRUE(config->enabled && config->insecure && config->gzip);
  EXPECT_EQ(config->client, TracingConfig::Client::kHttp);
  EXPECT_EQ(config->endpoint + config->url_path + config->service_name, "e:1/ps");
  EXPECT_EQ(config->headers.at("X-Key").value(), "secret");
  EXPECT_EQ(config->headers.at("X-Key").ToString(), "<secret>");
  EXPECT_EQ(config->timeout, std::chrono::seconds(3));
  EXPECT_FALSE(config->retry.enabled);
  EXPECT_EQ(config->retry.max_elapsed, std::chrono::seconds(3));
  EXPECT_EQ(config->tls.ca_file, "ca");
  EXPECT_EQ(config->sample_ratio, 0.25);
  EXPECT_FALSE(config->parent_based);
  EXPECT_FALSE(ParseTracingConfig("")->enabled);
  EXPECT_FALSE(ParseTracingConfig(" \n")->enabled);
}

TEST(ParseTracingConfig, KnowsUpstreamsSamplers) {
  auto sampler = [](std::string type) {
    auto config = ParseTracingConfig(
        "type: OTLP\nconfig: {client_type: grpc, sampler_param: '0.5', sampler_type: " + type + "}\n");
    EXPECT_TRUE(config.ok()) << type;
    return std::pair(config->sample_ratio, config->parent_based);
  };
  EXPECT_EQ(sampler("''"), std::pair(1.0, true));
  EXPECT_EQ(sampler("AlwaysSample"), std::pair(1.0, false));
  EXPECT_EQ(sampler("neversample"), std::pair(0.0, false));
  EXPECT_EQ(sampler("TraceIDRatioBased"), std::pair(0.5, false));
  EXPECT_EQ(sampler("ParentBasedAlwaysSample"), std::pair(1.0, true));
  EXPECT_EQ(sampler("ParentBasedNeverSample"), std::pair(0.0, true));
  EXPECT_EQ(sampler("ParentBasedTraceIDRatioBased"), std::pair(0.5, true));
}

TEST(ParseTracingConfig, OtherTypesOfThanosAreRefusedWithAWayOut) {
  for (std::string type : {"JAEGER", "stackdriver", "GOOGLE_CLOUD", "ELASTIC_APM", "LIGHTSTEP"}) {
    auto config = ParseTracingConfig("type: " + type + "\nconfig: {agent_host: x}\n");
    EXPECT_THAT(config.status().message(), HasSubstr("is not supported: its collectors take OTLP as well"));
  }
}

TEST(ParseTracingConfig, ZeroAndEmptyMeanTheDefault) {
  auto config = ParseTracingConfig(
      "type: OTLP\nconfig:\n  client_type: grpc\n  service_name: ''\n  resource_attributes: {}\n"
      "  reconnection_period: 0s\n  compression: ''\n  insecure: false\n  endpoint: ''\n  url_path: ''\n  timeout: 0s\n"
      "  retry_config: {retry_enabled: true, retry_initial_interval: 0s, retry_max_interval: 0s, "
      "retry_max_elapsed_time: 0s}\n  headers: {}\n  tls_config: {ca_file: '', cert_file: '', key_file: '', "
      "server_name: '', insecure_skip_verify: false}\n  sampler_type: ''\n  sampler_param: ''\n");
  ASSERT_TRUE(config.ok()) << config.status().message();
  EXPECT_THAT(config->warnings, IsEmpty());
  EXPECT_EQ(config->timeout, std::chrono::seconds(10));
  EXPECT_EQ(config->retry.initial_interval, RetryConfig().initial_interval);
  EXPECT_EQ(config->retry.max_interval, RetryConfig().max_interval);
  EXPECT_EQ(config->retry.max_elapsed, RetryConfig().max_elapsed);
}

TEST(ParseTracingConfig, WhatThanosDoesNotMindIsWarnedOf) {
  auto config = ParseTracingConfig(
      "type: OTLP\nconfig: {client_type: grpc, endpont: x, sampler_type: const, tls_config: {ca: a}, "
      "retry_config: {max: 1}}\n");
  ASSERT_TRUE(config.ok()) << config.status().message();
  EXPECT_TRUE(config->enabled && config->parent_based);
  EXPECT_EQ(config->sample_ratio, 1);
  EXPECT_THAT(config->warnings, UnorderedElementsAre(HasSubstr("field endpont not found in type otlp.Config"),
                                                     HasSubstr("field max not found in type otlp.retryConfig"),
                                                     HasSubstr("field ca not found in type exthttp.TLSConfig"),
                                                     HasSubstr("unknown sampler_type \"const\"")));
}

TEST(ParseTracingConfig, RefusesUnknownTypes) {
  EXPECT_THAT(Error("type: FOO\n"), HasSubstr("tracing with type FOO is not supported"));
  EXPECT_THAT(Error("config: {}\n"), HasSubstr("field type is required"));
}

TEST(ParseTracingConfig, SaysWhatIsWrong) {
  auto error = [](std::string config) { return Error("type: OTLP\nconfig: {client_type: grpc, " + config + "}\n"); };
  EXPECT_THAT(error("compression: zstd"), HasSubstr("compression \"zstd\" is not supported"));
  EXPECT_THAT(error("sampler_type: TraceIDRatioBased, sampler_param: 2"), HasSubstr("is no ratio between 0 and 1"));
  EXPECT_THAT(error("timeout: -1s"), HasSubstr("timeout must not be below 0"));
  EXPECT_THAT(Error("type: OTLP\nconfig: {client_type: udp}\n"), HasSubstr("neither grpc nor http"));
  EXPECT_THAT(Error("type: OTLP\nconfig: {}\n"), HasSubstr("field client_type is required"));
  EXPECT_THAT(Error("type: OTLP\n"), HasSubstr("field config is required"));
  EXPECT_THAT(Error("type: OTLP\nconfig: {client_type: grpc}\nextra: 1\n"),
              HasSubstr("field extra not found in type client.TracingConfig"));
}

}  // namespace
}  // namespace gauntlet::tracing
