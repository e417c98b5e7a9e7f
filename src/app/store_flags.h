// Flags of `gauntlet store`, in groups.
//
// Threads: filled by parsing, then read.

#pragma once

#include "app/common_flags.h"

namespace gauntlet::app {

// Which blocks, and when they are looked for.
struct BlockFlags {
  flags::ConfigSource objstore, parquet, relabel;
  std::string data_dir = "./data", strategy = "concurrent";
  flags::TimeOrDuration min_time, max_time;
  std::chrono::milliseconds sync_interval{900'000}, consistency_delay{0}, ignore_deletion_marks_delay{86'400'000};
  int sync_concurrency = 20, meta_concurrency = 32;
  bool lazy_headers = false, headers_on_disk = true;
  std::string header_strategy = "eager";
  std::chrono::milliseconds header_idle_timeout{300'000};
  int header_sampling = 32;
  void Register(flags::FlagSet& f);
};

// How much a call may take, and what is kept.
struct StoreReadFlags {
  uint64_t index_cache_bytes = 250 << 20, chunk_pool_bytes = uint64_t{2} << 30, memory_limit = 0;
  uint64_t downloaded_bytes = 0;
  uint64_t old_series_limit = 0, old_samples_limit = 0;
  flags::ConfigSource index_cache, caching_bucket, request_logging;
  int series_concurrency = 20, series_batch = 1024, matcher_cache = 0, old_sampling = 0;
  uint64_t series_estimate = 65'536, chunk_estimate = 16'000;
  bool lazy_postings = false;
  double posting_ratio = 100;
  void Register(flags::FlagSet& f);
};

struct StoreWebFlags {
  std::string external_prefix, prefix_header, label;
  bool disable = false, disable_cors = false, disable_admin = false;
  void Register(flags::FlagSet& f);
};

}  // namespace gauntlet::app
