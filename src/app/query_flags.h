// Flags of `gauntlet query`, in groups.
//
// Threads: filled by parsing, then read.

#pragma once

#include "app/common_flags.h"

namespace gauntlet::app {

struct EndpointFlags {
  std::vector<std::string> endpoints, strict, groups, groups_strict;
  flags::ConfigSource sd_config;
  std::chrono::milliseconds sd_config_reload_interval{300'000};
  std::vector<std::string> sd_files;
  std::chrono::milliseconds sd_interval{300'000}, dns_interval{30'000};
  std::string dns_resolver = "miekgdns";
  std::chrono::milliseconds unhealthy_timeout{300'000}, response_timeout{0}, info_timeout{5'000};
  std::vector<std::string> connection_metric_labels = {"external_labels", "store_type"};
  void Register(flags::FlagSet& f);
};

struct GrpcClientFlags {
  bool secure = false, skip_verify = false;
  std::string cert_file, key_file, ca_file, server_name, min_version = "1.3", compression = "none";
  void Register(flags::FlagSet& f);
};

struct QueryFlags {
  std::vector<std::string> replica_labels;
  std::string dedup_func = "penalty";
  bool auto_downsampling = false, partial_response = true;
  std::chrono::milliseconds timeout{120'000}, lookback_delta{0}, default_evaluation_interval{60'000},
      default_step{1'000}, metadata_default_range{0}, instant_max_resolution{0};
  int max_concurrent = 20, max_concurrent_select = 4;
  std::string active_query_path;
  std::vector<std::string> selector_labels;
  flags::ConfigSource selector_relabel, request_logging;
  std::vector<std::string> features;
  bool dynamic_lookback = true;
  uint64_t memory_limit = 0, query_memory_limit = 0;
  void Register(flags::FlagSet& f);
};

// Accepted so that manifests start, with a warning where they do not do what they say.
struct EngineFlags {
  std::string engine = "prometheus", mode = "local";
  bool x_functions = false, disable_fallback = false, overlapping_interval = false;
  std::vector<std::string> partition_labels;
  std::vector<std::string> test_addresses;
  void Register(flags::FlagSet& f);
};

struct TenancyFlags {
  std::string header = "THANOS-TENANT", default_id = "default-tenant", certificate_field, label = "tenant_id";
  bool enforce = false;
  void Register(flags::FlagSet& f);
};

struct FanoutFlags {
  bool rules = true, targets = true, metadata = true, exemplars = true, status = true;
  std::string proxy_strategy = "eager";
  int lazy_buffered_responses = 20;
  std::string alert_query_url;
  std::vector<std::string> seconds_buckets, samples_buckets, series_buckets;
  void Register(flags::FlagSet& f);
};

}  // namespace gauntlet::app
