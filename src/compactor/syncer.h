// Syncer: what the bucket has, as a compactor sees it; and garbage, blocks whose data is all in another one.
//
// Upstream: thanos pkg/compact/compact.go (Syncer)
// Threads:  thread-safe, one sync at a time.

#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "blocks/meta_fetcher.h"
#include "blocks/meta_filters.h"
#include "compactor/metrics.h"
#include "compactor/quarantine.h"
#include "model/relabel.h"

namespace gauntlet::compactor {

struct SyncOptions {
  std::function<int64_t()> min_time_ms, max_time_ms;  // null = no bound
  std::optional<Relabeler> relabeler;
  std::vector<std::string> replica_labels;
  std::chrono::milliseconds consistency_delay{30 * 60'000};
  std::chrono::milliseconds delete_delay{48 * 3'600'000};
  bool downsampling = true;
  std::function<void(const Result<blocks::BlockView>&)> on_fetch;  // told what each sync found; null = nobody
};

struct BucketState {
  blocks::MetaMap metas;  // without replica labels, duplicates, and what the filters leave out
  std::map<Ulid, Status> partial;
  std::map<Ulid, blocks::Marker> deletion_marks;
  std::vector<Ulid> duplicates;
  std::set<Ulid> no_compact, no_downsample;
  blocks::MetaMap all;  // before any filter

  // Blocks that take no part in a merge: marked so, or marked for deletion, or quarantined.
  std::set<Ulid> Excluded(const Quarantine& quarantine) const;
};

class Syncer {
 public:
  Syncer(const SyncOptions& options, blocks::BlockCatalog& catalog, telemetry::Registry& registry,
         CompactMetrics& metrics, telemetry::Logger& logger, Clock& clock);

  // An error when not all of the bucket could be read: then nobody should plan on it.
  Result<BucketState> Sync(const Cancel& cancel);
  // Marks duplicates for deletion, but for those that only a quarantined block replaces.
  Status CollectGarbage(const BucketState& state, const Quarantine& quarantine, const Cancel& cancel);

 private:
  class Everything;

  blocks::BlockCatalog& catalog_;
  CompactMetrics& metrics_;
  telemetry::Logger& logger_;
  Clock& clock_;
  const std::function<void(const Result<blocks::BlockView>&)> on_fetch_;
  std::shared_ptr<Everything> everything_;
  std::shared_ptr<blocks::IgnoreDeletionMarkFilter> deletion_marks_;
  std::shared_ptr<blocks::DeduplicateFilter> duplicates_;
  std::shared_ptr<blocks::GatherMarkFilter> no_compact_, no_downsample_;
  Mutex syncing_;  // held across a sync
  std::unique_ptr<blocks::MetaFetcher> fetcher_ GN_GUARDED_BY(syncing_);
};

}  // namespace gauntlet::compactor
