#include "blocks/meta_filters.h"

#include <algorithm>
#include <iterator>
#include <unordered_map>

#include "objstore/directories.h"

namespace gauntlet::blocks {
namespace {

constexpr char kBlockIdLabel[] = "__block_id";

// Takes out what `drop` says, and counts it.
template <typename Drop>
void DropIf(MetaMap* metas, StateCounts* synced, const char* state, const Drop& drop) {
  for (auto at = metas->begin(); at != metas->end();) {
    if (drop(at->first, *at->second)) {
      ++(*synced)[state];
      at = metas->erase(at);
    } else {
      ++at;
    }
  }
}

}  // namespace

Status TimePartitionFilter::Filter(const Catalog&, const Cancel&, MetaMap* metas, StateCounts* synced, StateCounts*) {
  const int64_t min = min_time_ms_(), max = max_time_ms_();
  DropIf(metas, synced, "time-excluded",
         [&](const Ulid&, const Meta& meta) { return meta.block.maxt_ms < min || meta.block.mint_ms > max; });
  return Status();
}

Status ShardFilter::Filter(const Catalog&, const Cancel&, MetaMap* metas, StateCounts* synced, StateCounts*) {
  DropIf(metas, synced, "label-excluded", [&](const Ulid& id, const Meta& meta) {
    std::vector<std::pair<std::string, std::string>> pairs = {{kBlockIdLabel, id.ToString()}};
    for (const auto& [name, value] : meta.thanos.labels) {
      if (std::find(without_.begin(), without_.end(), name) == without_.end()) pairs.emplace_back(name, value);
    }
    std::optional<Labels> kept = relabeler_.Apply(Labels::From(pairs).view());
    return !kept.has_value() || kept->empty();
  });
  return Status();
}

ConsistencyDelayFilter::ConsistencyDelayFilter(std::chrono::milliseconds delay, Clock& clock,
                                               telemetry::Registry* registry)
    : delay_(delay), clock_(clock) {
  if (registry == nullptr) return;
  registry->MakeGauge("thanos_consistency_delay_seconds", "Configured consistency delay in seconds.")
      .Set(std::chrono::duration<double>(delay).count());
}

Status ConsistencyDelayFilter::Filter(const Catalog&, const Cancel&, MetaMap* metas, StateCounts* synced,
                                      StateCounts*) {
  const int64_t now = clock_.NowMs();
  DropIf(metas, synced, "too-fresh", [&](const Ulid& id, const Meta& meta) {
    const std::string& source = meta.thanos.source;
    if (source == kBucketRepairSource || source == kCompactorSource || source == kCompactorRepairSource) return false;
    return now - meta.thanos.UploadTimeMs().value_or(id.unix_ms()) < delay_.count();
  });
  return Status();
}

Status MarkerGatherer::Gather(const Catalog& catalog, const MetaMap& metas, const Cancel& cancel) {
  std::vector<Ulid> ask;
  std::map<Ulid, Marker> found;
  for (const auto& [id, meta] : metas) {
    if (!catalog.MayHave(id, kind_)) continue;
    // Whether a marker that was read is still there is known from a recursive listing only.
    auto known = markers_.find(id);
    if (catalog.markers_known && known != markers_.end()) {
      found.insert(*known);
    } else {
      ask.push_back(id);
    }
  }
  Mutex mutex;
  GN_TRY(objstore::ForEachConcurrently(
      catalog_.executor(), ask.size(), catalog_.concurrency(), cancel, [&](size_t i, const Cancel& part) {
        Result<Marker> marker = ReadMarker(catalog_.bucket(), kind_, ask[i], part);
        if (marker.ok()) {
          MutexLock lock(mutex);
          found[ask[i]] = *std::move(marker);
          return Status();
        }
        if (marker.status().code() == Code::kNotFound) return Status();
        const bool newer = marker.status().code() == Code::kUnsupported;
        if (!newer && marker.status().code() != Code::kCorrupt) return marker.status();
        GN_LOG(logger_, kWarn, "found partial or broken marker; if this persists it needs to be repaired",
               {"block", ask[i].ToString()}, {"err", marker.status()});
        // One of a version not known here says what its name says, unless that is to delete.
        if (newer && kind_ != MarkerKind::kDeletion) {
          MutexLock lock(mutex);
          found[ask[i]].id = ask[i];
        }
        return Status();
      }));
  markers_ = std::move(found);
  return Status();
}

Status IgnoreDeletionMarkFilter::Filter(const Catalog& catalog, const Cancel& cancel, MetaMap* metas,
                                        StateCounts* synced, StateCounts*) {
  GN_TRY(gatherer_.Gather(catalog, *metas, cancel));
  const int64_t now_s = clock_.NowMs() / 1000;
  DropIf(metas, synced, "marked-for-deletion", [&](const Ulid& id, const Meta&) {
    auto mark = marks().find(id);
    return mark != marks().end() && (now_s - mark->second.time_s) * 1000 > delay_.count();
  });
  return Status();
}

Status DeduplicateFilter::Filter(const Catalog&, const Cancel&, MetaMap* metas, StateCounts* synced, StateCounts*) {
  std::map<std::string, std::vector<const Meta*>> groups;
  for (const auto& [id, meta] : *metas) groups[meta->thanos.GroupKey()].push_back(meta.get());
  duplicates_.clear();
  for (auto& [key, group] : groups) {
    // Those made of most sources first; of equal ones the older.
    std::stable_sort(group.begin(), group.end(), [](const Meta* a, const Meta* b) {
      size_t na = a->block.compaction.sources.size(), nb = b->block.compaction.sources.size();
      return na != nb ? na > nb : a->block.ulid < b->block.ulid;
    });
    // For each source, the kept blocks that have it: a block is covered when one is in the lists of all its sources.
    std::map<Ulid, std::vector<const Meta*>> kept_by_source;
    bool kept_any = false;
    for (const Meta* child : group) {
      const std::vector<Ulid>& sources = child->block.compaction.sources;
      bool covered = sources.empty() && kept_any;
      if (!sources.empty()) {
        std::vector<const Meta*> candidates = kept_by_source[sources.front()];
        for (size_t i = 1; i < sources.size() && !candidates.empty(); ++i) {
          const std::vector<const Meta*>& also = kept_by_source[sources[i]];
          std::erase_if(candidates,
                        [&](const Meta* m) { return std::find(also.begin(), also.end(), m) == also.end(); });
        }
        covered = !candidates.empty();
      }
      if (covered) {
        duplicates_.push_back(child->block.ulid);
        continue;
      }
      kept_any = true;
      for (const Ulid& source : sources) kept_by_source[source].push_back(child);
    }
  }
  std::sort(duplicates_.begin(), duplicates_.end());
  for (const Ulid& id : duplicates_) metas->erase(id);
  (*synced)["duplicate"] += static_cast<int64_t>(duplicates_.size());
  return Status();
}

Status ReplicaLabelRemover::Filter(const Catalog&, const Cancel&, MetaMap* metas, StateCounts*, StateCounts* modified) {
  if (replica_labels_.empty()) return Status();
  for (auto& [id, meta] : *metas) {
    const auto& labels = meta->thanos.labels;
    bool has = std::any_of(replica_labels_.begin(), replica_labels_.end(),
                           [&](const std::string& label) { return labels.contains(label); });
    if (!has && !labels.empty()) continue;
    auto changed = std::make_shared<Meta>(*meta);
    for (const std::string& label : replica_labels_) {
      if (changed->thanos.labels.erase(label) > 0) ++(*modified)["replica-label-removed"];
    }
    if (changed->thanos.labels.empty()) {
      GN_LOG(logger_, kWarn, "block has no labels left, creating one", {"block", id.ToString()},
             {replica_labels_.front(), "deduped"});
      changed->thanos.labels[replica_labels_.front()] = "deduped";
    }
    meta = std::move(changed);
  }
  return Status();
}

Status GatherMarkFilter::Filter(const Catalog& catalog, const Cancel& cancel, MetaMap* metas, StateCounts* synced,
                                StateCounts*) {
  GN_TRY(gatherer_.Gather(catalog, *metas, cancel));
  const char* state = kind_ == MarkerKind::kNoCompact ? "marked-for-no-compact" : "marked-for-no-downsample";
  if (!marks().empty()) (*synced)[state] += static_cast<int64_t>(marks().size());
  return Status();
}

}  // namespace gauntlet::blocks
