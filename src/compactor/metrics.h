// CompactMetrics: thanos_compact_*, with the names that Thanos has and those that its mixin still asks for.
//
// Upstream: thanos cmd/thanos/compact.go, pkg/compact/compact.go
// Threads:  thread-safe.

#pragma once

#include <chrono>
#include <string_view>

#include "telemetry/metrics.h"

namespace gauntlet::compactor {

struct CompactMetrics {
  CompactMetrics(telemetry::Registry& registry, std::chrono::milliseconds delete_delay, bool downsampling);

  // A mark that was set; `file` is that of the marker, `reason` "" for deletions.
  void Marked(std::string_view file, std::string_view reason);
  void DownsampleFailed(std::string_view resolution);
  // So that the series of a resolution are there from the start, as zero.
  void Touch(std::string_view resolution);

  telemetry::Gauge& halted;  // never
  telemetry::Counter& retries;
  telemetry::Counter& iterations;
  telemetry::Counter& cleanups;
  telemetry::Counter& partial_deletion_attempts;
  telemetry::Counter& blocks_cleaned;
  telemetry::Counter& cleanup_failures;
  telemetry::Counter& garbage_collected_blocks;
  telemetry::Counter& garbage_collections;
  telemetry::Counter& garbage_collection_failures;
  telemetry::Histogram& garbage_collection_seconds;
  telemetry::Family<telemetry::Counter> compactions, vertical_compactions, failures, runs_started, runs_completed;
  telemetry::Family<telemetry::Counter> downsamples, downsample_failures;
  telemetry::Family<telemetry::Histogram> downsample_seconds;
  telemetry::Gauge& todo_compactions;
  telemetry::Gauge& todo_compaction_blocks;
  telemetry::Gauge& todo_deletion_blocks;
  telemetry::Gauge* todo_downsample_blocks;  // null when downsampling is off

 private:
  telemetry::Family<telemetry::Counter> marked_;
  // As mixin/ of Thanos still names them.
  telemetry::Counter& marked_for_deletion_;
  telemetry::Family<telemetry::Counter> downsample_failed_;
};

}  // namespace gauntlet::compactor
