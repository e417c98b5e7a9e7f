// GroupRunner: the merges of one group, one after the other, until nothing is left to do. What stands in the way is set
// aside, and the rest of the group goes on.
//
// Upstream: thanos pkg/compact/compact.go (Group.Compact)
// Threads:  thread-safe; one run of a group at a time.

#pragma once

#include <functional>
#include <set>
#include <string>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/status.h"
#include "compactor/group.h"
#include "compactor/lease.h"
#include "compactor/merge_job.h"
#include "compactor/metrics.h"
#include "compactor/planner.h"
#include "compactor/progress.h"
#include "compactor/quarantine.h"
#include "objstore/bucket.h"
#include "telemetry/log.h"

namespace gauntlet::compactor {

struct RunnerOptions {
  bool vertical = false;               // overlapping raw blocks are merged
  bool skip_unordered_chunks = false;  // a block with such is marked no-compact instead of quarantined
  bool auto_repair = false;            // overlaps are merged, unordered chunks sorted, without being asked
};

struct RunOutcome {
  int merged = 0;        // results in the bucket
  int set_aside = 0;     // blocks or groups quarantined or marked in this run
  bool skipped = false;  // somebody else works on it
};

class GroupRunner {
 public:
  GroupRunner(RunnerOptions options, const Planner& planner, MergeJobs& jobs, objstore::Bucket& bucket,
              Quarantine& quarantine, Leases* leases, CompactMetrics& metrics, Progress& progress,
              telemetry::Logger& logger, Clock& clock);

  // Changes *group as it goes. An error is one that the next attempt may not meet: of the bucket, the network, the
  // disk.
  Result<RunOutcome> Run(Group* group, std::set<Ulid> excluded, const Cancel& cancel);

 private:
  enum class Step : uint8_t { kDone, kMerged, kSetAside };
  Result<RunOutcome> RunWithLease(Group* group, std::set<Ulid>* excluded, const Cancel& cancel);
  Result<Step> RunOne(Group* group, std::set<Ulid>* excluded, const Cancel& cancel);
  // Quarantines the group for its overlaps, or lifts that. True when the group may be planned.
  Result<bool> CheckOverlaps(const Group& group, const std::set<Ulid>& excluded, bool* set, const Cancel& cancel);
  Status CheckNotMarked(const BlockList& sources, const Cancel& cancel);
  Result<Step> Merge(Group* group, const Plan& plan, std::set<Ulid>* excluded, const Cancel& cancel);
  Result<Step> SetAside(Group* group, const Plan& plan, const Status& why, const tsdb::BlockFault& fault,
                        std::set<Ulid>* excluded, const Cancel& cancel);
  // The block made again with its chunks in order, which loses no sample.
  Status Sort(Group* group, const blocks::MetaPtr& block, const Cancel& cancel);
  Status MarkReplaced(Group* group, const BlockList& sources, const blocks::MetaPtr& made, const char* details,
                      const Cancel& cancel);
  Status MarkNoCompact(const Ulid& id, const std::string& reason, const std::string& details, const Cancel& cancel);

  const RunnerOptions options_;
  const Planner& planner_;
  MergeJobs& jobs_;
  objstore::Bucket& bucket_;
  Quarantine& quarantine_;
  Leases* const leases_;  // null: nobody else is there
  CompactMetrics& metrics_;
  Progress& progress_;
  telemetry::Logger& logger_;
  Clock& clock_;
};

}  // namespace gauntlet::compactor
