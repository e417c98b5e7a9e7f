#include "compactor/syncer.h"

#include <algorithm>

#include "blocks/markers.h"

namespace gauntlet::compactor {
namespace {

// A mark is set to its end also while stopping.
constexpr std::chrono::minutes kMarkWithin{5};

std::set<Ulid> IdsOf(const std::map<Ulid, blocks::Marker>& marks) {
  std::set<Ulid> ids;
  for (const auto& [id, mark] : marks) ids.insert(id);
  return ids;
}

bool Covers(const blocks::Meta& by, const blocks::Meta& meta) {
  const std::vector<Ulid>& all = by.block.compaction.sources;
  return by.block.ulid != meta.block.ulid && by.thanos.resolution_ms == meta.thanos.resolution_ms &&
         std::all_of(meta.block.compaction.sources.begin(), meta.block.compaction.sources.end(),
                     [&](const Ulid& source) { return std::find(all.begin(), all.end(), source) != all.end(); });
}

}  // namespace

// The first filter: lets everything through and remembers it.
class Syncer::Everything final : public blocks::MetaFilter {
 public:
  Status Filter(const blocks::Catalog&, const Cancel&, blocks::MetaMap* metas, blocks::StateCounts*,
                blocks::StateCounts*) override {
    metas_ = *metas;
    return Status();
  }
  const blocks::MetaMap& metas() const { return metas_; }

 private:
  blocks::MetaMap metas_;
};

std::set<Ulid> BucketState::Excluded(const Quarantine& quarantine) const {
  std::set<Ulid> ids = quarantine.NotMerged();
  ids.insert(no_compact.begin(), no_compact.end());
  for (const auto& [id, mark] : deletion_marks) ids.insert(id);
  return ids;
}

Syncer::Syncer(const SyncOptions& options, blocks::BlockCatalog& catalog, telemetry::Registry& registry,
               CompactMetrics& metrics, telemetry::Logger& logger, Clock& clock)
    : catalog_(catalog),
      metrics_(metrics),
      logger_(logger),
      clock_(clock),
      on_fetch_(options.on_fetch),
      everything_(std::make_shared<Everything>()),
      // Half of the delay, so that a block which is to go stays in view until its replacement is surely seen.
      deletion_marks_(
          std::make_shared<blocks::IgnoreDeletionMarkFilter>(catalog, options.delete_delay / 2, clock, logger)),
      duplicates_(std::make_shared<blocks::DeduplicateFilter>()),
      no_compact_(std::make_shared<blocks::GatherMarkFilter>(catalog, blocks::MarkerKind::kNoCompact, logger)) {
  std::vector<std::shared_ptr<blocks::MetaFilter>> filters = {everything_};
  if (options.min_time_ms != nullptr && options.max_time_ms != nullptr)
    filters.push_back(std::make_shared<blocks::TimePartitionFilter>(options.min_time_ms, options.max_time_ms));
  if (options.relabeler.has_value())
    filters.push_back(std::make_shared<blocks::ShardFilter>(*options.relabeler, options.replica_labels));
  filters.push_back(std::make_shared<blocks::ConsistencyDelayFilter>(options.consistency_delay, clock, &registry));
  filters.push_back(deletion_marks_);
  filters.push_back(std::make_shared<blocks::ReplicaLabelRemover>(options.replica_labels, logger));
  filters.push_back(duplicates_);
  filters.push_back(no_compact_);
  if (options.downsampling) {
    no_downsample_ = std::make_shared<blocks::GatherMarkFilter>(catalog, blocks::MarkerKind::kNoDownsample, logger);
    filters.push_back(no_downsample_);
  }
  fetcher_ = std::make_unique<blocks::MetaFetcher>(catalog, std::move(filters), registry, logger, clock);
}

Result<BucketState> Syncer::Sync(const Cancel& cancel) {
  MutexLock lock(syncing_);
  Result<blocks::BlockView> fetched = fetcher_->Fetch(cancel);
  if (on_fetch_ != nullptr) on_fetch_(fetched);
  GN_ASSIGN(blocks::BlockView view, std::move(fetched));
  GN_TRY(view.incomplete);
  BucketState state;
  state.metas = std::move(view.metas);
  state.partial = std::move(view.partial);
  state.all = everything_->metas();
  state.deletion_marks = deletion_marks_->marks();
  state.duplicates = duplicates_->duplicates();
  state.no_compact = IdsOf(no_compact_->marks());
  if (no_downsample_ != nullptr) state.no_downsample = IdsOf(no_downsample_->marks());
  return state;
}

Status Syncer::CollectGarbage(const BucketState& state, const Quarantine& quarantine, const Cancel& cancel) {
  const auto begun = clock_.Now();
  for (const Ulid& id : state.duplicates) {
    GN_TRY(cancel.status());
    if (state.deletion_marks.contains(id)) continue;
    const blocks::Meta& meta = *state.all.at(id);
    const bool replaced = std::any_of(state.metas.begin(), state.metas.end(), [&](const auto& entry) {
      return Covers(*entry.second, meta) && !quarantine.Holds(entry.first.ToString());
    });
    if (!replaced) continue;
    GN_LOG(logger_, kInfo, "marking outdated block for deletion", {"block", id.ToString()});
    CancelSource limit(Cancel(), kMarkWithin);
    blocks::Marker mark{id, "outdated block", clock_.NowMs() / 1000, ""};
    Result<bool> set = blocks::SetMarker(catalog_.bucket(), blocks::MarkerKind::kDeletion, mark, limit.cancel());
    if (!set.ok()) {
      metrics_.garbage_collection_failures.Add();
      return set.status().Wrap("mark block " + id.ToString() + " for deletion");
    }
    if (*set) metrics_.Marked(blocks::kDeletionMarkFile, "");
    metrics_.garbage_collected_blocks.Add();
  }
  metrics_.garbage_collections.Add();
  metrics_.garbage_collection_seconds.Observe(std::chrono::duration<double>(clock_.Now() - begun).count());
  return Status();
}

}  // namespace gauntlet::compactor
