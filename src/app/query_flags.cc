#include "app/query_flags.h"

#include <fmt/format.h>

#include "promql/engine/features.h"

namespace gauntlet::app {

void EndpointFlags::Register(flags::FlagSet& f) {
  // Removed in Thanos 0.38 and still in manifests; all mean the same today.
  auto& endpoint =
      f.Strings("endpoint",
                "Addresses of statically configured Thanos API servers (repeatable). The scheme may be prefixed with "
                "'dns+' or 'dnssrv+' to detect Thanos API servers through respective DNS lookups.",
                &endpoints)
          .PlaceHolder("<endpoint>");
  for (const char* old : {"store", "rule", "metadata", "exemplar", "target"}) {
    endpoint.Alias(old, std::string("--") + old + " was removed in Thanos 0.38: use --endpoint");
  }
  f.Strings("endpoint-strict",
            "Addresses of only statically configured Thanos API servers that are always used, even if the health check "
            "fails. Useful if you have a caching layer on top.",
            &strict)
      .Alias("store-strict", "--store-strict was removed: use --endpoint-strict")
      .PlaceHolder("<endpoint-strict>");
  f.Strings("endpoint-group",
            "DNS name of statically configured Thanos API server groups (repeatable). Targets resolved from the DNS "
            "name will be queried in a round-robin, instead of a fanout manner.",
            &groups)
      .PlaceHolder("<endpoint-group>");
  f.Strings("endpoint-group-strict",
            "DNS name of statically configured Thanos API server groups (repeatable) that are always used, even if the "
            "health check fails.",
            &groups_strict)
      .PlaceHolder("<endpoint-group-strict>");
  f.Config("endpoint.sd-config", "Config File with endpoint definitions", &sd_config, false, false);
  f.GoDuration("endpoint.sd-config-reload-interval", "Interval between endpoint config refreshes",
               &sd_config_reload_interval);
  f.Strings("store.sd-files",
            "Path to files that contain addresses of store API servers. The path can be a glob pattern (repeatable).",
            &sd_files)
      .PlaceHolder("<path>");
  f.PromDuration("store.sd-interval", "Refresh interval to re-read file SD files. It is used as a resync fallback.",
                 &sd_interval);
  f.GoDuration("store.sd-dns-interval", "Interval between DNS resolutions.", &dns_interval);
  f.String("store.sd-dns-resolver",
           "Whose choice of address family dns+ follows: miekgdns prefers IPv6, golang takes both.", &dns_resolver)
      .Enum({"golang", "miekgdns"})
      .Hidden();
  f.GoDuration("store.unhealthy-timeout", "Timeout before an unhealthy store is cleaned from the store UI page.",
               &unhealthy_timeout);
  f.GoDuration("store.response-timeout",
               "If a Store doesn't send any data in this specified duration then a Store will be ignored and partial "
               "data will be returned if it's enabled. 0 disables timeout.",
               &response_timeout);
  f.GoDuration("endpoint.info-timeout", "Timeout of gRPC Info requests, and the interval between them.", &info_timeout)
      .Hidden();
  f.Strings("query.conn-metric.label",
            "Optional selection of query connection metric labels to be collected from endpoint set",
            &connection_metric_labels)
      .Enum({"external_labels", "store_type", "ip_port"});
}

void GrpcClientFlags::Register(flags::FlagSet& f) {
  f.Bool("grpc-client-tls-secure", "Use TLS when talking to the gRPC server", &secure);
  f.Bool("grpc-client-tls-skip-verify", "Disable TLS certificate verification i.e self signed, signed by fake CA",
         &skip_verify);
  f.String("grpc-client-tls-cert", "TLS Certificates to use to identify this client to the server", &cert_file);
  f.String("grpc-client-tls-key", "TLS Key for the client's certificate", &key_file);
  f.String("grpc-client-tls-ca", "TLS CA Certificates to use to verify gRPC servers", &ca_file);
  f.String("grpc-client-server-name",
           "Server name to verify the hostname on the returned gRPC certificates. See "
           "https://tools.ietf.org/html/rfc4366#section-3.1",
           &server_name);
  f.String("grpc-client-tls-min-version", "TLS supported minimum version for gRPC client.", &min_version)
      .Enum({"1.0", "1.1", "1.2", "1.3"});
  f.String("grpc-compression", "Compression algorithm to use for gRPC requests to other clients.", &compression)
      .Enum({"snappy", "none"});
}

void QueryFlags::Register(flags::FlagSet& f) {
  f.CommaList("query.replica-label",
              "Labels to treat as a replica indicator along which data is deduplicated. Still you will be able to "
              "query without deduplication using 'dedup=false' parameter. Data includes time series, recording rules, "
              "and alerting rules.",
              &replica_labels);
  f.String("deduplication.func",
           "Deduplication algorithm for merging overlapping series: \"penalty\" stays on one replica by penalties, "
           "\"chain\" takes every sample, \"stitch\" leaves a replica only at its gaps and never adds a gap or reset "
           "that no replica has.",
           &dedup_func)
      .Enum({"penalty", "chain", "stitch"});
  f.Bool("query.auto-downsampling",
         "Enable automatic adjustment (step / 5) to what source of data should be used in store gateways if no "
         "max_source_resolution param is specified.",
         &auto_downsampling);
  f.Bool("query.partial-response",
         "Enable partial response for queries if no partial_response param is specified. --no-query.partial-response "
         "for disabling.",
         &partial_response);
  f.PromDuration("query.timeout", "Maximum time to process query by query node.", &timeout);
  f.PromDuration(
      "query.lookback-delta",
      "The maximum lookback duration for retrieving metrics during expression evaluations. PromQL always evaluates the "
      "query for the certain timestamp. It looks back for given amount of time to get last sample. Unset: 5m.",
      &lookback_delta);
  f.PromDuration("query.default-evaluation-interval", "Set default evaluation interval for sub queries.",
                 &default_evaluation_interval);
  f.PromDuration(
      "query.default-step",
      "Set default step for range queries. Default step is only used when step is not set in UI. In such cases, UI "
      "will use default step to calculate resolution (resolution = max(rangeSeconds / 250, defaultStep)).",
      &default_step);
  f.GoDuration("query.metadata.default-time-range",
               "The default metadata time range duration for retrieving labels through Labels and Series API when the "
               "range parameters are not specified. The zero value means range covers the time since the beginning.",
               &metadata_default_range);
  f.GoDuration("query.instant.default.max_source_resolution",
               "default value for max_source_resolution for instant queries. If not set, defaults to 0s only taking "
               "raw resolution into account.",
               &instant_max_resolution)
      .Hidden();
  f.Int("query.max-concurrent", "Maximum number of queries processed concurrently by query node.", &max_concurrent);
  f.Int("query.max-concurrent-select", "Maximum number of select requests made concurrently per a query.",
        &max_concurrent_select);
  f.String("query.active-query-path", "Directory to log currently active queries in the queries.active file.",
           &active_query_path);
  f.Strings("selector-label", "Query selector labels that will be exposed in info endpoint (repeated).",
            &selector_labels)
      .PlaceHolder("<name>=\"<value>\"");
  f.Config("selector.relabel-config",
           "Relabeling configuration that allows selecting blocks to operate on based on their external labels.",
           &selector_relabel);
  f.Config("request.logging-config", "YAML file with request logging configuration.", &request_logging);
  f.CommaList("enable-feature",
              fmt::format("Comma separated feature names to enable. Valid options: {}.", promql::kFeatureNames),
              &features);
  f.Bool("query.dynamic-lookback-delta", "Allow for larger lookback duration for queries based on resolution.",
         &dynamic_lookback)
      .Hidden();
  f.Bytes("memory.limit",
          "Bytes that all queries together may hold; the one that goes over ends with an error. 0: nine tenths of the "
          "memory that the process may use.",
          &memory_limit);
  f.Bytes("query.memory-limit", "Bytes that one query may hold. 0: no limit but --memory.limit.", &query_memory_limit);
}

void EngineFlags::Register(flags::FlagSet& f) {
  f.String("query.promql-engine", "Default PromQL engine to use. There is one engine; both names mean it.", &engine)
      .Enum({"prometheus", "thanos"});
  f.String("query.mode", "PromQL query mode. One of: local, distributed.", &mode).Enum({"local", "distributed"});
  f.Bool("query.enable-x-functions", "Whether to enable extended rate functions (xrate, xincrease and xdelta).",
         &x_functions);
  f.CommaList("query.partition-label",
              "Labels that partition the leaf queriers. This is used to scope down the labelsets of leaf queriers when "
              "using the distributed query mode.",
              &partition_labels);
  f.Bool("query.disable-fallback", "Accepted for compatibility: there is no other engine to fall back to.",
         &disable_fallback)
      .Hidden();
  f.Bool("query.distributed-with-overlapping-interval", "Accepted for compatibility.", &overlapping_interval).Hidden();
  f.Strings("inject-test-addresses", "Accepted for compatibility.", &test_addresses).Hidden();
}

void TenancyFlags::Register(flags::FlagSet& f) {
  f.String("query.tenant-header", "HTTP header to determine tenant.", &header);
  f.String("query.default-tenant-id", "Default tenant ID to use if tenant header is not present.", &default_id);
  f.String(
       "query.tenant-certificate-field",
       "Use TLS client's certificate field to determine tenant for read requests. Must be one of organization, "
       "organizationalUnit or commonName. This setting will cause the query.tenant-header flag value to be ignored.",
       &certificate_field)
      .Enum({"", "organization", "organizationalUnit", "commonName"});
  f.Bool("query.enforce-tenancy",
         "Enforce tenancy on Query APIs. Responses are returned only if the label value of the configured "
         "tenant-label-name and the value of the tenant header matches.",
         &enforce);
  f.String("query.tenant-label-name",
           "Label name to use when enforcing tenancy (if --query.enforce-tenancy is enabled).", &label);
}

void FanoutFlags::Register(flags::FlagSet& f) {
  f.Bool("rule.partial-response",
         "Enable partial response for rules endpoint. --no-rule.partial-response for disabling.", &rules)
      .Hidden();
  f.Bool("target.partial-response",
         "Enable partial response for targets endpoint. --no-target.partial-response for disabling.", &targets)
      .Hidden();
  f.Bool("metric-metadata.partial-response",
         "Enable partial response for metric metadata endpoint. --no-metric-metadata.partial-response for disabling.",
         &metadata)
      .Hidden();
  f.Bool("exemplar.partial-response",
         "Enable partial response for exemplar endpoint. --no-exemplar.partial-response for disabling.", &exemplars)
      .Hidden();
  f.Bool("status.partial-response",
         "Enable partial response for TSDB status endpoint. --no-status.partial-response for disabling.", &status)
      .Hidden();
  f.String("grpc.proxy-strategy",
           "Strategy to use when proxying Series requests to leaf nodes: how far an endpoint is read ahead.",
           &proxy_strategy)
      .Enum({"eager", "lazy"})
      .Hidden();
  f.Int("query.lazy-retrieval-max-buffered-responses",
        "The lazy retrieval strategy can buffer up to this number of responses.", &lazy_buffered_responses)
      .Hidden();
  f.String("alert.query-url", "The external Thanos Query URL that would be set in all alerts 'Source' field.",
           &alert_query_url);
  f.CommaList("query.telemetry.request-duration-seconds-quantiles",
              "The quantiles for exporting metrics about the request duration quantiles.", &seconds_buckets)
      .Default("0.1,0.25,0.75,1.25,1.75,2.5,3,5,10");
  f.CommaList("query.telemetry.request-samples-quantiles",
              "The quantiles for exporting metrics about the samples count quantiles.", &samples_buckets)
      .Default("100,1000,10000,100000,1000000");
  f.CommaList("query.telemetry.request-series-seconds-quantiles",
              "The quantiles for exporting metrics about the series count quantiles.", &series_buckets)
      .Default("10,100,1000,10000,100000");
}

}  // namespace gauntlet::app
