#include "tracing/tracing_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "config/decoder.h"
#include "config/durations.h"
#include "model/float_text.h"

namespace gauntlet::tracing {
namespace {

using config::Decoder;

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

void DecodeSampler(Decoder& d, TracingConfig* out) {
  std::string type, parameter;
  d.Field("sampler_type", &type);
  d.Field("sampler_param", &parameter);
  std::string kind = Lower(type);
  out->parent_based = kind.empty() || kind.starts_with("parentbased");
  if (kind.starts_with("parentbased")) kind.erase(0, std::string_view("parentbased").size());
  if (kind.empty() || kind == "alwayssample") {
    out->sample_ratio = 1;
  } else if (kind == "neversample") {
    out->sample_ratio = 0;
  } else if (kind == "traceidratiobased" || kind == "traceidratio") {
    auto ratio = ParseFloat(parameter);
    if (!ratio.ok() || !(*ratio >= 0 && *ratio <= 1)) {
      d.Fail("sampler_param", fmt::format("sampler_param \"{}\" is no ratio between 0 and 1", parameter));
    } else {
      out->sample_ratio = *ratio;
    }
  } else {  // as the original has it
    out->parent_based = true;
    out->warnings.push_back(fmt::format("unknown sampler_type \"{}\": all traces are sampled", type));
  }
}

void DecodeRetry(Decoder& d, RetryConfig* out) {
  d.Field("retry_enabled", &out->enabled);
  config::GoDurationField(d, "retry_initial_interval", &out->initial_interval);
  config::GoDurationField(d, "retry_max_interval", &out->max_interval);
  config::GoDurationField(d, "retry_max_elapsed_time", &out->max_elapsed);
  const RetryConfig defaults;  // what 0 means
  if (out->initial_interval.count() <= 0) out->initial_interval = defaults.initial_interval;
  if (out->max_interval.count() <= 0) out->max_interval = defaults.max_interval;
  if (out->max_elapsed.count() <= 0) out->max_elapsed = defaults.max_elapsed;
}

void DecodeOtlp(Decoder& d, TracingConfig* out) {
  std::string client, compression;
  d.Require("client_type");
  if (d.Field("client_type", &client) && !client.empty()) {
    client = Lower(client);
    out->client = client == "http" ? TracingConfig::Client::kHttp : TracingConfig::Client::kGrpc;
    if (client != "http" && client != "grpc") {
      d.Fail("client_type", fmt::format("client_type \"{}\" is neither grpc nor http", client));
    }
  }
  if (d.Field("compression", &compression)) {
    out->gzip = compression == "gzip";
    if (!compression.empty() && !out->gzip) {
      d.Fail("compression", fmt::format("compression \"{}\" is not supported: use gzip or none", compression));
    }
  }
  d.Field("service_name", &out->service_name);
  d.Field("resource_attributes", &out->resource_attributes);
  d.Ignore("reconnection_period");  // connections are made again when they are lost, with backoff
  d.Field("insecure", &out->insecure);
  d.Field("endpoint", &out->endpoint);
  d.Field("url_path", &out->url_path);
  config::GoDurationField(d, "timeout", &out->timeout);
  if (out->timeout.count() < 0) d.Fail("timeout", "timeout must not be below 0");
  if (out->timeout.count() == 0) out->timeout = TracingConfig().timeout;
  d.Object("retry_config", "otlp.retryConfig", [out](Decoder& retry) {
    DecodeRetry(retry, &out->retry);
    retry.IgnoreOthers(&out->warnings);
  });
  d.Field("headers", &out->headers);
  d.Object("tls_config", "exthttp.TLSConfig",
           [out](Decoder& tls) { config::DecodeTlsConfig(tls, &out->tls, &out->warnings); });
  DecodeSampler(d, out);
  d.IgnoreOthers(&out->warnings);
}

}  // namespace

Result<TracingConfig> ParseTracingConfig(std::string_view yaml) {
  TracingConfig config;
  if (yaml.find_first_not_of(" \t\r\n") == std::string_view::npos) return config;
  Status status = config::DecodeYaml(yaml, "client.TracingConfig", [&](Decoder& d) {
    std::string type;
    d.Require("type");
    d.Field("type", &type);
    std::string kind = type;
    std::transform(kind.begin(), kind.end(), kind.begin(), [](unsigned char c) { return std::toupper(c); });
    if (kind == "OTLP") {
      config.enabled = true;
      d.Require("config");
      d.Object("config", "otlp.Config", [&](Decoder& otlp) { DecodeOtlp(otlp, &config); });
      return;
    }
    d.Ignore("config");
    for (const char* known : {"JAEGER", "GOOGLE_CLOUD", "STACKDRIVER", "ELASTIC_APM", "LIGHTSTEP"}) {
      if (kind == known) {
        return d.Fail("type", fmt::format("tracing type {} is not supported: its collectors take OTLP as well", known));
      }
    }
    if (!type.empty()) d.Fail("type", fmt::format("tracing with type {} is not supported", type));
  });
  if (!status.ok()) return std::move(status).Wrap("tracing config");
  return config;
}

}  // namespace gauntlet::tracing
