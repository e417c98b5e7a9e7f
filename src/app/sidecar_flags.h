// Flags of `gauntlet sidecar`, in groups.
//
// Threads: filled by parsing, then read.

#pragma once

#include "app/common_flags.h"

namespace gauntlet::app {

struct PrometheusFlags {
  std::string url = "http://localhost:9090";
  std::chrono::milliseconds ready_timeout{600'000}, get_config_interval{30'000}, get_config_timeout{30'000};
  flags::ConfigSource http_client;
  std::string tsdb_path = "./data";
  bool read_blocks = true;
  flags::TimeOrDuration min_time;
  flags::ConfigSource request_logging;
  void Register(flags::FlagSet& f);
};

struct ReloaderFlags {
  std::string config_file, output_file, method = "http", process = "prometheus";
  std::vector<std::string> rule_dirs;
  std::chrono::milliseconds watch_interval{180'000}, retry_interval{5'000};
  void Register(flags::FlagSet& f);
};

struct UploadFlags {
  flags::ConfigSource objstore;
  bool upload_compacted = false, ignore_unequal_block_size = false, allow_out_of_order = false, skip_corrupted = false;
  std::string meta_file_name = "thanos.shipper.json", hash_func;
  int upload_concurrency = 0;
  void Register(flags::FlagSet& f);
};

}  // namespace gauntlet::app
