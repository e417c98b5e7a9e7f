// LocalBlocks: the finished blocks of the sidecar's Prometheus, where its folder is at hand, and up to which time they
// may be read instead of asking Prometheus.
//
// The folder is taken for Prometheus' own when as many blocks are in it as Prometheus has loaded, and the first begins
// where its data begins. Then the blocks have all that Prometheus has before the last of them ends and the head begins:
// the head takes no older samples, but for late ones within the out-of-order window; times in that are left to it.
//
// Threads:  thread-safe.           Owns: the open blocks.

#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/mutex.h"
#include "io/file_system.h"
#include "sidecar/heartbeat.h"
#include "telemetry/log.h"
#include "telemetry/metrics.h"
#include "tsdb/block/block_directory.h"

namespace gauntlet::sidecar {

struct LocalBlocksOptions {
  // Late samples of times that a new block covers reach a block of their own only after it. With an out-of-order window
  // what is new is left to Prometheus until this long after, and as long as its log of late samples shows that it is at
  // it: it begins a segment, and removes those before once their samples are in blocks.
  std::chrono::milliseconds settle{std::chrono::minutes(10)};
};

class LocalBlocks {
 public:
  LocalBlocks(io::FileSystem& files, std::string dir, LocalBlocksOptions options, Clock& clock,
              telemetry::Registry& registry, telemetry::Logger logger);

  // After each look at Prometheus.
  void Compare(const PrometheusState& state);

  struct Readable {
    std::shared_ptr<const tsdb::BlockList> blocks;
    int64_t end_ms = 0;  // exclusive
  };
  // Looks into the folder again, for deletions that came since. Nothing when all is to be asked of Prometheus.
  std::optional<Readable> Take();

 private:
  // The blocks as they are now, all of them whole; null while they change.
  std::shared_ptr<const tsdb::BlockList> Current();
  // Of the log of late samples; both 0 when there is none.
  struct LateLog {
    int64_t first = 0, last = 0;  // segments
  };
  LateLog ReadLateLog();
  // Why the folder is not this Prometheus' own; "" when it is.
  static std::string Difference(const tsdb::BlockList& blocks, const DatabaseFacts& facts);
  void Set(std::optional<int64_t> end_ms, const std::string& why_not) GN_REQUIRES(mutex_);

  io::FileSystem& files_;
  const std::string dir_;
  const LocalBlocksOptions options_;
  Clock& clock_;
  telemetry::Logger logger_;
  telemetry::Gauge& end_seconds_;
  tsdb::BlockDirectory directory_;
  Mutex mutex_;
  int64_t window_ms_ GN_GUARDED_BY(mutex_) = 0;   // the widest out-of-order window seen
  int64_t covered_ms_ GN_GUARDED_BY(mutex_) = 0;  // by blocks, of which late samples have settled
  int64_t newest_ms_ GN_GUARDED_BY(mutex_) = 0;   // by blocks
  std::chrono::steady_clock::time_point newest_since_ GN_GUARDED_BY(mutex_);
  int64_t newest_log_first_ GN_GUARDED_BY(mutex_) = 0;  // the log's first segment then
  std::optional<int64_t> end_ms_ GN_GUARDED_BY(mutex_);
  std::string why_not_ GN_GUARDED_BY(mutex_);
};

}  // namespace gauntlet::sidecar
