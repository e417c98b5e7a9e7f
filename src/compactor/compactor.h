// Compactor: keeps a bucket compact, downsampled and within its retention. One bad block stops nothing but itself: see
// Quarantine.
//
// Upstream: thanos cmd/thanos/compact.go, pkg/compact/compact.go (BucketCompactor)
// Threads:  thread-safe: one Iterate at a time, Clean and MeasureBacklog beside it.

#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/executor.h"
#include "base/mutex.h"
#include "base/status.h"
#include "blocks/upkeep.h"
#include "compactor/downsampling.h"
#include "compactor/group_runner.h"
#include "compactor/syncer.h"

namespace gauntlet::compactor {

struct CompactorOptions {
  size_t concurrency = 1, downsample_concurrency = 1;
  bool downsampling = true;
  std::map<int64_t, std::chrono::milliseconds> retention;  // by resolution; 0 or absent = for ever
  std::chrono::milliseconds delete_delay{48 * 3'600'000}, consistency_delay{30 * 60'000};
  // Where compaction takes longer than this, downsampling and retention go on beside it.
  std::chrono::milliseconds patience{5 * 60'000};
};

// What a compactor is made of. All borrowed.
struct CompactorParts {
  objstore::Bucket& bucket;
  Executor& blocking;
  Syncer& syncer;
  Quarantine& quarantine;
  const Planner& planner;
  GroupRunner& runner;
  MergeJobs& merges;
  DownsampleJobs& downsamples;
  Leases* leases;  // may be null
  CompactMetrics& metrics;
  Progress& progress;
  telemetry::Logger& logger;
  Clock& clock;
};

class Compactor {
 public:
  Compactor(CompactorOptions options, const CompactorParts& parts);

  // Compaction until nothing is left to do, downsampling in two passes, retention, cleaning. What fails for a reason
  // that may pass does not keep the rest from being done; the first such error is returned.
  Status Iterate(const Cancel& cancel);
  // Deletes what was marked long enough ago and uploads that were given up, as of the last sync.
  void Clean(const Cancel& cancel);
  // Sets thanos_compact_todo_*.
  Status MeasureBacklog(const Cancel& cancel);

  // The parts of Iterate.
  Status CompactAll(const Cancel& cancel);
  Status DownsampleAll(const Cancel& cancel);
  Status ApplyRetention(const Cancel& cancel);

 private:
  Result<std::shared_ptr<const BucketState>> Sync(const Cancel& cancel);
  Status CompactRound(const Cancel& cancel, bool* again);
  Status DownsamplePass(const char* pass, const Cancel& cancel);
  Status DownsampleOne(const DownsampleTask& task, const Cancel& cancel);
  Status DownsampleAndRetain(const Cancel& cancel);
  void DeleteMarked(const BucketState& state, const Cancel& cancel);
  void CleanPartial(const BucketState& state, const Cancel& cancel);
  Backlog BacklogOf(std::vector<Group> groups, const std::set<Ulid>& excluded) const;
  Status QuarantineBadMetas(const BucketState& state, const Cancel& cancel);
  blocks::UpkeepContext Upkeep() const { return {parts_.bucket, parts_.blocking, parts_.clock, parts_.logger}; }

  const CompactorOptions options_;
  const CompactorParts parts_;
  Mutex cleaning_;  // held across a cleaning; before mutex_
  Mutex upkeep_;    // held across downsampling and retention; before mutex_
  Mutex mutex_;
  std::shared_ptr<const BucketState> last_ GN_GUARDED_BY(mutex_);
  std::set<Ulid> deleted_ GN_GUARDED_BY(mutex_);  // by this process, and perhaps still in last_
};

}  // namespace gauntlet::compactor
