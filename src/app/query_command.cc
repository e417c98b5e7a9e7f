#include "app/query_command.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <utility>

#include "api/control_handlers.h"
#include "api/metadata_handlers.h"
#include "api/query_handlers.h"
#include "api/status_handlers.h"
#include "app/query_flags.h"
#include "app/runtime.h"
#include "base/clock.h"
#include "base/memory_budget.h"
#include "config/relabel.h"
#include "net/http/router.h"
#include "promql/engine/engine.h"
#include "promql/engine/features.h"
#include "promql/syntax/parser.h"
#include "query/control_fanout.h"
#include "query/endpoint_set.h"
#include "query/endpoint_sources.h"
#include "query/leaf_queries.h"
#include "query/querier_info.h"
#include "query/query_service.h"
#include "query/select_databases.h"
#include "server/gate.h"
#include "server/middleware.h"
#include "storeapi/store_server.h"

namespace gauntlet::app {
namespace {

struct AllQueryFlags {
  server::HttpOptions http;
  server::GrpcOptions grpc;
  StoreLimitFlags limits;
  WebFlags web;
  EndpointFlags endpoints;
  GrpcClientFlags client;
  QueryFlags query;
  EngineFlags engine;
  TenancyFlags tenancy;
  FanoutFlags fanout;

  void Register(flags::FlagSet& f) {
    http.Register(f);
    grpc.Register(f);
    limits.Register(f);
    web.Register(f);
    endpoints.Register(f);
    client.Register(f);
    query.Register(f);
    engine.Register(f);
    tenancy.Register(f);
    fanout.Register(f);
  }
};

// name="value", as --selector-label takes it.
Result<Labels> ParseSelectorLabels(const std::vector<std::string>& texts) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const std::string& text : texts) {
    size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0)
      return Status(Code::kInvalid, "--selector-label " + text + ": expected <name>=\"<value>\"");
    std::string value = text.substr(equals + 1);
    if (value.size() < 2 || value.front() != '"' || value.back() != '"') {
      return Status(Code::kInvalid, "--selector-label " + text + ": the value must be in double quotes");
    }
    pairs.emplace_back(text.substr(0, equals), value.substr(1, value.size() - 2));
  }
  return Labels::From(pairs);
}

// GAUNTLET_DNS_SERVERS="10.0.0.10:53,10.0.0.11:53": asked instead of those of /etc/resolv.conf.
std::vector<std::string> DnsServersFromEnvironment() {
  const char* list = std::getenv("GAUNTLET_DNS_SERVERS");  // NOLINT(concurrency-mt-unsafe): before any thread
  std::vector<std::string> servers;
  for (std::string_view rest = list != nullptr ? list : ""; !rest.empty();) {
    size_t comma = std::min(rest.find(','), rest.size());
    if (comma > 0) servers.emplace_back(rest.substr(0, comma));
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  return servers;
}

Result<query::EndpointSourceOptions> SourceOptions(const AllQueryFlags& flags) {
  query::EndpointSourceOptions options;
  options.endpoints = flags.endpoints.endpoints;
  options.strict = flags.endpoints.strict;
  options.groups = flags.endpoints.groups;
  options.groups_strict = flags.endpoints.groups_strict;
  options.sd_files = flags.endpoints.sd_files;
  options.sd_interval = flags.endpoints.sd_interval;
  options.dns_interval = flags.endpoints.dns_interval;
  options.config_interval = flags.endpoints.sd_config_reload_interval;
  GN_ASSIGN(options.dns_style, discovery::ParseDnsStyle(flags.endpoints.dns_resolver));
  options.dns_servers = DnsServersFromEnvironment();
  if (flags.endpoints.sd_config.given()) {
    if (!options.endpoints.empty() || !options.strict.empty() || !options.groups.empty() ||
        !options.groups_strict.empty()) {
      return Status(
          Code::kInvalid,
          "--endpoint, --endpoint-strict and --endpoint-group cannot be used together with --endpoint.sd-config");
    }
    options.load_config = [source = &flags.endpoints.sd_config] { return source->Load(); };
  }
  if (flags.client.secure) {
    net::TlsClientOptions tls;
    tls.ca_file = flags.client.ca_file;
    tls.cert_file = flags.client.cert_file;
    tls.key_file = flags.client.key_file;
    tls.server_name = flags.client.server_name;
    tls.skip_verify = flags.client.skip_verify;
    GN_ASSIGN(tls.min_version, net::ParseTlsVersion(flags.client.min_version));
    options.tls = std::move(tls);
  }
  if (flags.client.compression == "snappy") options.compression = net::GrpcCompression::kSnappy;
  return options;
}

promql::EngineOptions EngineOptionsOf(const AllQueryFlags& flags) {
  promql::EngineOptions options;
  options.timeout = flags.query.timeout;
  options.max_samples = 0;  // bytes are what is limited
  options.query_memory_bytes = flags.query.query_memory_limit;
  options.max_concurrent = 0;  // the gate in front of it
  if (flags.query.lookback_delta.count() > 0) options.lookback_delta_ms = flags.query.lookback_delta.count();
  int64_t evaluation_ms = flags.query.default_evaluation_interval.count();
  options.no_step_subquery_interval = [evaluation_ms](int64_t) { return evaluation_ms; };
  options.active_query_dir = flags.query.active_query_path;
  for (const std::string& feature : flags.query.features) promql::EnableFeature(feature, &options);
  options.x_functions = flags.engine.x_functions;
  return options;
}

api::QuerySettings SettingsOf(const AllQueryFlags& flags, dedup::Algorithm algorithm) {
  api::QuerySettings settings;
  settings.replica_labels = flags.query.replica_labels;
  settings.algorithm = algorithm;
  settings.partial_response = flags.query.partial_response;
  settings.auto_downsampling = flags.query.auto_downsampling;
  settings.downsampled_data = true;
  settings.instant_max_resolution_ms = flags.query.instant_max_resolution.count();
  settings.default_step_ms = flags.query.default_step.count();
  settings.metadata_range_ms = flags.query.metadata_default_range.count();
  if (flags.query.lookback_delta.count() > 0) settings.lookback_delta_ms = flags.query.lookback_delta.count();
  settings.dynamic_lookback_delta = flags.query.dynamic_lookback;
  settings.concurrent_selects_max = static_cast<size_t>(std::max(flags.query.max_concurrent_select, 0));
  settings.timeout = flags.query.timeout;
  settings.tenant_label = flags.tenancy.label;
  settings.enforce_tenancy = flags.tenancy.enforce;
  return settings;
}

server::MiddlewareOptions MiddlewareOptionsOf(const AllQueryFlags& flags, server::RequestLogConfig log,
                                              telemetry::Tracer* tracer) {
  server::MiddlewareOptions options;
  options.tenancy =
      server::TenancyOptions{flags.tenancy.header, flags.tenancy.default_id, flags.tenancy.certificate_field};
  options.log = std::move(log);
  options.tracer = tracer;
  options.cors = !flags.web.disable_cors;
  return options;
}

// Says what was asked for and is not done.
void WarnUnmet(const AllQueryFlags& flags, telemetry::Logger& logger) {
  for (const std::string& feature : flags.query.features) {
    promql::EngineOptions options;
    if (feature != "query-pushdown" && !promql::EnableFeature(feature, &options)) {
      GN_LOG(logger, kWarn, "unknown feature ignored", {"feature", feature});
    }
  }
}

// Who evaluates parts of queries in distributed mode; nobody otherwise.
query::LeafSource LeavesOf(const AllQueryFlags& flags, const query::EndpointSet& endpoints, Executor& executor,
                           telemetry::Logger& logger) {
  if (flags.engine.mode != "distributed") return {};
  if (flags.query.selector_relabel.given() || !flags.query.selector_labels.empty()) {
    GN_LOG(logger, kWarn,
           "queries are evaluated locally: leaves know nothing of --selector.relabel-config and "
           "--selector-label",
           {"mode", flags.engine.mode});
    return {};
  }
  query::LeafOptions options{flags.engine.partition_labels, flags.query.timeout};
  return [&endpoints, &executor, options](const query::SelectScope& scope) {
    return query::MakeLeafQueries(endpoints, options, scope, executor);
  };
}

Status RunQuery(const GlobalFlags& global, const AllQueryFlags& flags, std::map<std::string, std::string> flag_values,
                int* exit_code) {
  GN_ASSIGN(std::unique_ptr<Runtime> runtime, Runtime::Make(global, "query"));
  telemetry::Logger& logger = runtime->logger();
  WarnUnmet(flags, logger);
  GN_ASSIGN(std::string log_yaml, flags.query.request_logging.Load());
  GN_ASSIGN(server::RequestLogConfig request_log, server::ParseRequestLogConfig(log_yaml));
  GN_ASSIGN(Labels selector_labels, ParseSelectorLabels(flags.query.selector_labels));
  GN_ASSIGN(std::string relabel_yaml, flags.query.selector_relabel.Load());
  Result<std::vector<RelabelConfig>> relabel_rules = config::ParseSelectorRelabel(relabel_yaml);
  if (!relabel_rules.ok()) return relabel_rules.status().Wrap("--selector.relabel-config");
  GN_ASSIGN(Relabeler relabel, Relabeler::Make(*std::move(relabel_rules)));
  GN_ASSIGN(dedup::Algorithm algorithm, dedup::ParseAlgorithm(flags.query.dedup_func));
  GN_ASSIGN(query::EndpointSourceOptions source_options, SourceOptions(flags));

  query::EndpointSources sources(std::move(source_options), runtime->blocking(), runtime->registry(), logger);
  GN_TRY(sources.Check());
  query::EndpointSetOptions set_options;
  set_options.info_timeout = flags.endpoints.info_timeout;
  set_options.unhealthy_timeout = flags.endpoints.unhealthy_timeout;
  set_options.response_timeout = flags.endpoints.response_timeout;
  set_options.connection_metric_labels = flags.endpoints.connection_metric_labels;
  query::EndpointSet endpoints(
      set_options, [&] { return sources.Current(); }, runtime->client_instruments(), runtime->blocking(), SystemClock(),
      runtime->registry(), logger);

  storeapi::ProxyOptions proxy_options;
  proxy_options.selector_labels = selector_labels;
  if (!relabel.empty()) {
    proxy_options.select_databases = [&](const storeapi::Endpoint& endpoint) {
      return query::SelectDatabases(endpoint, relabel);
    };
  }
  proxy_options.lazy = flags.fanout.proxy_strategy == "lazy";
  proxy_options.lazy_batches_max = static_cast<size_t>(std::max(flags.fanout.lazy_buffered_responses, 1));
  storeapi::Proxy proxy(proxy_options, [&] { return endpoints.Stores(); }, runtime->blocking(), logger);

  MemoryBudget process_budget("process", ProcessMemoryLimit(flags.query.memory_limit));
  promql::Engine engine(EngineOptionsOf(flags), runtime->workers(), &process_budget, SystemClock(),
                        &runtime->registry());
  server::Gate gate(static_cast<size_t>(std::max(flags.query.max_concurrent, 0)), "thanos_query_concurrent",
                    runtime->registry());
  query::ControlFanout control(endpoints, flags.query.replica_labels, engine.parser_options(), runtime->blocking());
  api::QuerySettings settings = SettingsOf(flags, algorithm);
  GN_ASSIGN(settings.store_durations,
            api::ParseStoreDurationBuckets(flags.fanout.seconds_buckets, flags.fanout.samples_buckets,
                                           flags.fanout.series_buckets));

  // HTTP: the route prefix defaults to the external one.
  std::string prefix = flags.web.route_prefix.empty() ? flags.web.external_prefix : flags.web.route_prefix;
  server::Middleware middleware(MiddlewareOptionsOf(flags, request_log, &runtime->tracer()), runtime->registry(),
                                logger);
  net::HttpRouter router(prefix, middleware.Around());
  server::AddCommonRoutes(router, runtime->prober(), runtime->registry());
  query::LeafSource leaves = LeavesOf(flags, endpoints, runtime->blocking(), logger);
  api::QueryHandlers query_handlers(settings, engine, query::StoresBehind(proxy), gate, runtime->registry(), leaves);
  query_handlers.Register(router);
  api::MetadataHandlers metadata_handlers(settings, query::StoresBehind(proxy));
  metadata_handlers.Register(router);
  api::ControlHandlers control_handlers(
      settings,
      {flags.fanout.rules, flags.fanout.targets, flags.fanout.metadata, flags.fanout.exemplars, flags.fanout.status},
      control, endpoints);
  control_handlers.Register(router);
  api::StatusFacts facts{"query", Version(), "", "", std::move(flag_values), SystemClock().NowMs()};
  api::StatusHandlers status_handlers(std::move(facts), [&] { return endpoints.Statuses(); });
  status_handlers.Register(router);

  // gRPC: the same again, so that queriers stack.
  storeapi::StoreServer store_server(proxy, {flags.limits.series, flags.limits.samples, true});
  query::QueryServer query_server({flags.query.replica_labels, algorithm, settings.concurrent_selects_max,
                                   settings.lookback_delta_ms, settings.timeout},
                                  engine, query::StoresBehind(proxy), leaves, gate);
  query::QuerierInfo info(endpoints, selector_labels);
  Runtime::Plan plan;
  plan.http = flags.http;
  plan.router = &router;
  plan.grpc = flags.grpc;
  plan.request_log = std::move(request_log);
  rpc::RegisterStore(store_server, &plan.methods);
  rpc::RegisterQuery(query_server, &plan.methods);
  rpc::RegisterInfo(info, &plan.methods);
  control.Register(&plan.methods);
  plan.start = [&](const Cancel& cancel) -> Status {
    std::chrono::milliseconds wait =
        flags.endpoints.response_timeout.count() > 0 ? flags.endpoints.response_timeout : std::chrono::seconds(30);
    CancelSource first(cancel, wait);
    sources.Refresh(first.cancel());
    endpoints.Update(first.cancel());
    GN_TRY(cancel.status());
    runtime->prober().SetReady();
    return Status();
  };
  plan.background.emplace_back([&](const Cancel& cancel) { sources.Run(cancel); });
  plan.background.emplace_back([&](const Cancel& cancel) {
    while (sources.WaitForChange(cancel, flags.endpoints.info_timeout)) endpoints.Update(cancel);
  });
  *exit_code = runtime->Run(std::move(plan));
  return Status();
}

}  // namespace

void AddQueryCommand(flags::App& app, const GlobalFlags& global) {
  flags::Command& command = app.AddCommand(
      "query", "Query node exposing PromQL enabled Query API with data retrieved from multiple store nodes.");
  auto query_flags = std::make_shared<AllQueryFlags>();
  query_flags->Register(command.flags());
  SetBody(command, [&app, &global, &command, query_flags](int* exit_code) {
    return RunQuery(global, *query_flags, app.Values(command), exit_code);
  });
}

}  // namespace gauntlet::app
