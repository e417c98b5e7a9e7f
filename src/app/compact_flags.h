// Flags of `gauntlet compact`, in groups.
//
// Threads: filled by parsing, then read.

#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "app/common_flags.h"

namespace gauntlet::app {

// Which blocks, and how they are found.
struct CompactBlockFlags {
  flags::ConfigSource objstore, relabel;
  std::string data_dir = "./data", strategy = "concurrent";
  flags::TimeOrDuration min_time, max_time;
  std::chrono::milliseconds consistency_delay{1'800'000}, delete_delay{172'800'000};
  int meta_concurrency = 32, files_concurrency = 1;
  void Register(flags::FlagSet& f);
};

// When, how often, how much at a time.
struct CompactLoopFlags {
  bool wait = false;
  std::chrono::milliseconds wait_interval{300'000}, cleanup_interval{300'000}, progress_interval{300'000};
  int concurrency = 1, fetch_concurrency = 1, downsample_concurrency = 1;
  std::chrono::milliseconds lease_time{120'000};
  bool leases = true;
  uint64_t memory_limit = 0;
  void Register(flags::FlagSet& f);
};

// What is made of what.
struct CompactMergeFlags {
  std::vector<std::string> replica_labels;
  std::string function, hash_function;
  bool vertical = false, skip_unordered_chunks = false, auto_repair = false, accept_malformed_index = false;
  bool halt_on_error = true;
  int level_max = 4;
  uint64_t index_bytes_max = uint64_t{64} << 30;
  bool downsampling_off = false;
  std::chrono::milliseconds keep_raw{0}, keep_5m{0}, keep_1h{0};
  void Register(flags::FlagSet& f);
  // kInvalid for combinations that make no sense, or would lose data.
  Status Check() const;
};

struct CompactWebFlags {
  WebFlags web;
  bool disable = false, disable_admin = false;
  std::string label;
  std::chrono::milliseconds view_interval{60'000}, view_timeout{300'000};
  void Register(flags::FlagSet& f);
};

// "a,b" and repeated flags alike, without empty ones.
std::vector<std::string> SplitLabels(const std::vector<std::string>& given);

}  // namespace gauntlet::app
