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

// Of the shipper, and of the reloader, which does not exist yet: accepted, with a warning when asked for something.
struct UploadFlags {
  std::string reloader_config_file, reloader_envsubst_file, reloader_method = "http", reloader_process = "prometheus";
  std::vector<std::string> reloader_rule_dirs;
  std::chrono::milliseconds reloader_watch_interval{180'000}, reloader_retry_interval{5'000};
  flags::ConfigSource objstore;
  bool upload_compacted = false, ignore_unequal_block_size = false, allow_out_of_order = false, skip_corrupted = false;
  std::string meta_file_name = "thanos.shipper.json", hash_func;
  int upload_concurrency = 0;
  void Register(flags::FlagSet& f);
  // What was asked for and is not done.
  std::vector<std::string> Unmet() const;
};

}  // namespace gauntlet::app
