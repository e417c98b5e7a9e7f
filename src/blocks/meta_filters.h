// The filters between a bucket and what a component sees of it. Order, as in Thanos: time, shard, consistency delay,
// deletion marks, (replica labels,) duplicates, marks of no compaction and no downsampling.
//
// Upstream: thanos pkg/block/fetcher.go
// Threads:  one thread at a time, as MetaFetcher; results of gathering filters are read on the same thread.

#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "blocks/meta_fetcher.h"
#include "model/relabel.h"

namespace gauntlet::blocks {

// Keeps blocks that overlap [min, max]; asked each time, for bounds that move with the clock.
class TimePartitionFilter final : public MetaFilter {
 public:
  using Bound = std::function<int64_t()>;
  TimePartitionFilter(Bound min_time_ms, Bound max_time_ms)
      : min_time_ms_(std::move(min_time_ms)), max_time_ms_(std::move(max_time_ms)) {}
  Status Filter(const Catalog&, const Cancel&, MetaMap* metas, StateCounts* synced, StateCounts* modified) override;

 private:
  const Bound min_time_ms_, max_time_ms_;
};

// Keeps blocks whose external labels, with __block_id, survive the rules.
class ShardFilter final : public MetaFilter {
 public:
  // `without`: labels that the rules do not see (a compactor's replica labels).
  explicit ShardFilter(Relabeler relabeler, std::vector<std::string> without = {})
      : relabeler_(std::move(relabeler)), without_(std::move(without)) {}
  Status Filter(const Catalog&, const Cancel&, MetaMap* metas, StateCounts* synced, StateCounts* modified) override;

 private:
  const Relabeler relabeler_;
  const std::vector<std::string> without_;
};

// Drops blocks younger than the delay, unless a compactor or a repair made them.
class ConsistencyDelayFilter final : public MetaFilter {
 public:
  ConsistencyDelayFilter(std::chrono::milliseconds delay, Clock& clock, telemetry::Registry* registry);
  Status Filter(const Catalog&, const Cancel&, MetaMap* metas, StateCounts* synced, StateCounts* modified) override;

 private:
  const std::chrono::milliseconds delay_;
  Clock& clock_;
};

// Reads a kind of marker for all blocks, and remembers those that it has read: a marker does not change.
class MarkerGatherer {
 public:
  MarkerGatherer(BlockCatalog& catalog, MarkerKind kind, telemetry::Logger& logger)
      : catalog_(catalog), kind_(kind), logger_(logger) {}
  // A marker that does not read is told and left out.
  Status Gather(const Catalog& catalog, const MetaMap& metas, const Cancel& cancel);
  const std::map<Ulid, Marker>& markers() const { return markers_; }

 private:
  BlockCatalog& catalog_;
  const MarkerKind kind_;
  telemetry::Logger& logger_;
  std::map<Ulid, Marker> markers_;
};

// Drops blocks that were marked for deletion longer ago than the delay; the others stay, to bridge the time until their
// replacement is seen everywhere.
class IgnoreDeletionMarkFilter final : public MetaFilter {
 public:
  IgnoreDeletionMarkFilter(BlockCatalog& catalog, std::chrono::milliseconds delay, Clock& clock,
                           telemetry::Logger& logger)
      : gatherer_(catalog, MarkerKind::kDeletion, logger), delay_(delay), clock_(clock) {}
  Status Filter(const Catalog&, const Cancel&, MetaMap* metas, StateCounts* synced, StateCounts* modified) override;
  // All marks, also of blocks that stay.
  const std::map<Ulid, Marker>& marks() const { return gatherer_.markers(); }

 private:
  MarkerGatherer gatherer_;
  const std::chrono::milliseconds delay_;
  Clock& clock_;
};

// Drops blocks whose sources are all in another block of the same group: a compaction made them superfluous.
class DeduplicateFilter final : public MetaFilter {
 public:
  Status Filter(const Catalog&, const Cancel&, MetaMap* metas, StateCounts* synced, StateCounts* modified) override;
  // Of the last run, ascending.
  const std::vector<Ulid>& duplicates() const { return duplicates_; }

 private:
  std::vector<Ulid> duplicates_;
};

// Takes replica labels out of the metas, so that replicas fall into one group.
class ReplicaLabelRemover final : public MetaFilter {
 public:
  ReplicaLabelRemover(std::vector<std::string> replica_labels, telemetry::Logger& logger)
      : replica_labels_(std::move(replica_labels)), logger_(logger) {}
  Status Filter(const Catalog&, const Cancel&, MetaMap* metas, StateCounts* synced, StateCounts* modified) override;

 private:
  const std::vector<std::string> replica_labels_;
  telemetry::Logger& logger_;
};

// Lets everything through and remembers which blocks carry the mark.
class GatherMarkFilter final : public MetaFilter {
 public:
  // `kind`: kNoCompact or kNoDownsample.
  GatherMarkFilter(BlockCatalog& catalog, MarkerKind kind, telemetry::Logger& logger)
      : gatherer_(catalog, kind, logger), kind_(kind) {}
  Status Filter(const Catalog&, const Cancel&, MetaMap* metas, StateCounts* synced, StateCounts* modified) override;
  const std::map<Ulid, Marker>& marks() const { return gatherer_.markers(); }

 private:
  MarkerGatherer gatherer_;
  const MarkerKind kind_;
};

}  // namespace gauntlet::blocks
