#include "blocks/meta_fetcher.h"

#include <algorithm>
#include <chrono>
#include <iterator>

#include "blocks/block_objects.h"
#include "io/path.h"
#include "objstore/directories.h"

namespace gauntlet::blocks {
namespace {

constexpr size_t kMetaBytesMax = 64 << 20;

uint8_t BitOf(MarkerKind kind) { return static_cast<uint8_t>(1 << static_cast<int>(kind)); }

std::string_view FirstPart(std::string_view path) { return path.substr(0, path.find('/')); }

bool IsBad(const Status& status) { return status.code() == Code::kCorrupt || status.code() == Code::kUnsupported; }

}  // namespace

bool Catalog::MayHave(const Ulid& id, MarkerKind kind) const {
  if (!markers_known) return true;
  auto found = markers.find(id);
  return found != markers.end() && (found->second & BitOf(kind)) != 0;
}

// ---- BlockCatalog ---------------------------------------------------------------------------------------------------

BlockCatalog::BlockCatalog(CatalogOptions options, objstore::Bucket& bucket, io::FileSystem& files, Executor& executor,
                           telemetry::Registry& registry, telemetry::Logger& logger)
    : options_(std::move(options)),
      cache_dir_(options_.data_dir.empty() ? "" : io::JoinPath(options_.data_dir, "meta-syncer")),
      cache_(files, cache_dir_.empty() ? "" : io::JoinPath(cache_dir_, "metas"), logger),
      bucket_(bucket),
      files_(files),
      executor_(executor),
      logger_(logger),
      syncs_(registry.MakeCounter("thanos_blocks_meta_base_syncs_total",
                                  "Total blocks metadata synchronization attempts by base Fetcher")),
      cache_busts_(registry.MakeCounter("thanos_blocks_meta_base_cache_busts_total",
                                        "Total blocks metadata cache busts by base Fetcher")) {}

std::vector<objstore::IterOptions> BlockCatalog::Ranges() {
  std::vector<Ulid> known = cache_.Ids();
  if (known.empty()) {
    MutexLock lock(mutex_);
    for (const auto& [id, remembered] : remembered_) known.push_back(id);
  }
  size_t count = std::clamp<size_t>(known.size() / options_.blocks_per_listing, 1, options_.listings_max);
  if (!bucket_.lists_ranges()) count = 1;
  std::vector<objstore::IterOptions> ranges(count);
  for (size_t i = 1; i < count; ++i) {
    // No object is named as a block is: what is below it sorts behind its name.
    ranges[i - 1].until = ranges[i].after = known[i * known.size() / count].ToString();
  }
  return ranges;
}

Status BlockCatalog::ListRecursively(const Cancel& cancel, std::vector<Listed>* blocks) {
  const std::vector<objstore::IterOptions> ranges = Ranges();
  std::vector<std::vector<Listed>> parts(ranges.size());
  GN_TRY(objstore::ForEachConcurrently(
      executor_, ranges.size(), ranges.size(), cancel,
      [&](size_t i, const Cancel& part) { return ListRange(ranges[i], part, &parts[i]); }));
  for (const std::vector<Listed>& part : parts) blocks->insert(blocks->end(), part.begin(), part.end());
  return Status();
}

Status BlockCatalog::ListRange(const objstore::IterOptions& range, const Cancel& cancel, std::vector<Listed>* blocks) {
  objstore::IterOptions options = range;
  options.recursive = options.attributes = true;
  // What counts lies beside the meta; that there are chunks is enough to know.
  options.fold = [](std::string_view dir) {
    return std::count(dir.begin(), dir.end(), '/') == 2 && BlockOfPath(FirstPart(dir)).has_value();
  };
  return bucket_.Iter("", options, cancel, [&](const objstore::ObjectEntry& entry) {
    std::string_view dir = FirstPart(entry.name);
    if (dir.size() == entry.name.size()) return Status();  // a file in the root
    std::optional<Ulid> id = BlockOfPath(dir);
    if (!id.has_value()) return Status();
    if (blocks->empty() || blocks->back().id != *id) blocks->push_back({*id});
    Listed& block = blocks->back();
    std::string_view file = entry.name.substr(dir.size() + 1);
    if (file == tsdb::kMetaFile) {
      block.meta = true;
      block.modified_ms = entry.modified_ms;
    }
    if (auto kind = MarkerOfFile(file)) block.markers |= BitOf(*kind);
    return Status();
  });
}

Status BlockCatalog::ListConcurrently(const Cancel& cancel, std::vector<Listed>* blocks) {
  GN_TRY(bucket_.Iter("", {}, cancel, [&](const objstore::ObjectEntry& entry) {
    std::optional<Ulid> id = entry.is_directory() ? BlockOfPath(entry.name) : std::nullopt;
    if (id.has_value()) blocks->push_back({*id});
    return Status();
  }));
  return objstore::ForEachConcurrently(
      executor_, blocks->size(), options_.exists_concurrency, cancel, [&](size_t i, const Cancel& part) {
        Listed& block = (*blocks)[i];
        GN_ASSIGN(block.meta, bucket_.Exists(io::JoinPath(block.id.ToString(), tsdb::kMetaFile), part));
        return Status();
      });
}

Result<std::vector<BlockCatalog::Listed>> BlockCatalog::List(const Cancel& cancel) {
  std::vector<Listed> blocks;
  GN_TRY(options_.strategy == DiscoveryStrategy::kRecursive ? ListRecursively(cancel, &blocks)
                                                            : ListConcurrently(cancel, &blocks));
  return blocks;
}

MetaPtr BlockCatalog::FromCache(const Listed& block) {
  std::optional<std::string_view> text = cache_.Find(block.id, block.modified_ms);
  if (!text.has_value()) return nullptr;
  Result<Meta> meta = ParseMeta(*text);
  if (!meta.ok() || meta->block.ulid != block.id) return nullptr;  // it is fetched again
  return std::make_shared<const Meta>(*std::move(meta));
}

// Before there was one file, each block had a directory here, as Thanos has it.
void BlockCatalog::RemoveOldCache() {
  if (cache_dir_.empty()) return;
  Result<std::vector<io::FileInfo>> dirs = files_.ListNames(cache_dir_);
  if (!dirs.ok()) return;  // nothing was cached yet
  for (const io::FileInfo& dir : *dirs) {
    if (!BlockOfPath(dir.name).has_value()) continue;
    if (Status status = files_.RemoveAll(io::JoinPath(cache_dir_, dir.name)); !status.ok())
      GN_LOG(logger_, kWarn, "a cached meta.json is not removed", {"block", dir.name}, {"err", status});
  }
}

Result<MetaPtr> BlockCatalog::Load(const Listed& block, const Cancel& cancel) {
  bool changed = false, known = false;
  {
    MutexLock lock(mutex_);
    auto found = remembered_.find(block.id);
    known = found != remembered_.end();
    changed = known && found->second.modified_ms != 0 && found->second.modified_ms != block.modified_ms;
    if (known && !changed) {
      found->second.modified_ms = block.modified_ms;
      return found->second.meta;
    }
  }
  if (changed) cache_busts_.Add();
  if (MetaPtr meta = FromCache(block); meta != nullptr) return meta;
  const std::string name = io::JoinPath(block.id.ToString(), tsdb::kMetaFile);
  GN_ASSIGN(std::string text, objstore::ReadObject(bucket_, name, cancel, kMetaBytesMax));
  Result<Meta> meta = ParseMeta(text);
  if (!meta.ok()) return meta.status().Wrap(name);
  if (meta->block.ulid != block.id) return Status(Code::kCorrupt, name + ": it is of another block");
  cache_.Put({block.id, block.modified_ms, text});
  return std::make_shared<const Meta>(*std::move(meta));
}

Result<Catalog> BlockCatalog::Sync(const Cancel& cancel) {
  MutexLock one(syncing_);
  syncs_.Add();
  if (!std::exchange(cache_loaded_, true)) cache_.Load();
  GN_ASSIGN(std::vector<Listed> blocks, List(cancel));
  Catalog catalog;
  catalog.markers_known = options_.strategy == DiscoveryStrategy::kRecursive;
  std::vector<Result<MetaPtr>> loaded(blocks.size(), Status(Code::kNotFound, "no meta.json"));
  GN_TRY(objstore::ForEachConcurrently(executor_, blocks.size(), options_.concurrency, cancel,
                                       [&](size_t i, const Cancel& part) {
                                         if (blocks[i].meta) loaded[i] = Load(blocks[i], part);
                                         // The error of one block is for its own entry; that of the caller ends all.
                                         return part.status();
                                       }));
  for (size_t i = 0; i < blocks.size(); ++i) {
    const Ulid& id = blocks[i].id;
    if (catalog.markers_known) catalog.markers[id] = blocks[i].markers;
    if (loaded[i].ok()) {
      catalog.metas[id] = *std::move(loaded[i]);
      continue;
    }
    Status status = loaded[i].status();
    if (status.code() == Code::kNotFound) {
      ++catalog.no_meta;
      catalog.partial[id] = Status(Code::kNotFound, "block " + id.ToString() + " has no meta file");
    } else if (IsBad(status)) {
      ++catalog.corrupt;
      catalog.partial[id] = std::move(status);
    } else {
      catalog.failures.push_back(std::move(status));
    }
  }
  Remember(catalog, blocks);
  return catalog;
}

void BlockCatalog::Remember(const Catalog& catalog, const std::vector<Listed>& blocks) {
  const bool complete = catalog.failures.empty();
  {
    MutexLock lock(mutex_);
    std::map<Ulid, Remembered> remembered;
    // Only a complete view says what can be forgotten.
    if (!complete) remembered.swap(remembered_);
    for (const Listed& block : blocks) {
      auto found = catalog.metas.find(block.id);
      if (found != catalog.metas.end()) remembered[block.id] = {found->second, block.modified_ms};
    }
    remembered_.swap(remembered);
  }
  if (!complete) return;
  cache_.Finish([&](const Ulid& id) { return catalog.metas.contains(id); });
  if (!std::exchange(old_cache_removed_, true)) RemoveOldCache();
}

// ---- MetaFetcher ----------------------------------------------------------------------------------------------------

MetaFetcher::MetaFetcher(BlockCatalog& catalog, std::vector<std::shared_ptr<MetaFilter>> filters,
                         telemetry::Registry& registry, telemetry::Logger& logger, Clock& clock)
    : catalog_(catalog),
      filters_(std::move(filters)),
      logger_(logger),
      clock_(clock),
      syncs_(registry.MakeCounter("thanos_blocks_meta_syncs_total", "Total blocks metadata synchronization attempts")),
      sync_failures_(registry.MakeCounter("thanos_blocks_meta_sync_failures_total",
                                          "Total blocks metadata synchronization failures")),
      sync_seconds_(registry.MakeHistogram("thanos_blocks_meta_sync_duration_seconds",
                                           "Duration of the blocks metadata synchronization in seconds",
                                           {0.01, 1, 10, 100, 300, 600, 1000})),
      synced_(registry.MakeGauges("thanos_blocks_meta_synced", "Number of block metadata synced", {"state"})),
      modified_(
          registry.MakeGauges("thanos_blocks_meta_modified", "Number of blocks whose metadata changed", {"modified"})) {
  Publish({}, {});
}

void MetaFetcher::Publish(const StateCounts& synced, const StateCounts& modified) {
  for (const char* state :
       {"corrupted-meta-json", "no-meta-json", "loaded", "too-fresh", "failed", "label-excluded", "time-excluded",
        "duplicate", "marked-for-deletion", "marked-for-no-compact", "marked-for-no-downsample", "parquet-migrated"}) {
    auto found = synced.find(state);
    synced_.With({state}).Set(found == synced.end() ? 0 : static_cast<double>(found->second));
  }
  auto found = modified.find("replica-label-removed");
  modified_.With({"replica-label-removed"}).Set(found == modified.end() ? 0 : static_cast<double>(found->second));
}

Result<BlockView> MetaFetcher::FetchAndCount(const Cancel& cancel, StateCounts* synced, StateCounts* modified) {
  GN_ASSIGN(Catalog catalog, catalog_.Sync(cancel));
  (*synced)["failed"] = static_cast<int64_t>(catalog.failures.size());
  (*synced)["no-meta-json"] = catalog.no_meta;
  (*synced)["corrupted-meta-json"] = catalog.corrupt;
  BlockView view;
  view.metas = catalog.metas;
  for (const auto& filter : filters_) {
    GN_TRY(filter->Filter(catalog, cancel, &view.metas, synced, modified).Wrap("filter metas"));
  }
  (*synced)["loaded"] = static_cast<int64_t>(view.metas.size());
  view.partial = std::move(catalog.partial);
  if (!catalog.failures.empty()) {
    view.incomplete = catalog.failures.front();
    view.incomplete.Wrap("incomplete view, " + std::to_string(catalog.failures.size()) + " blocks failed, the first");
  }
  return view;
}

Result<BlockView> MetaFetcher::Fetch(const Cancel& cancel) {
  syncs_.Add();
  const auto begun = clock_.Now();
  StateCounts synced, modified;
  Result<BlockView> view = FetchAndCount(cancel, &synced, &modified);
  const std::chrono::duration<double> took = clock_.Now() - begun;
  sync_seconds_.Observe(took.count());
  Publish(synced, modified);
  if (on_fetch_) on_fetch_(view);
  if (!view.ok() || !view->incomplete.ok()) {
    sync_failures_.Add();
    return view;
  }
  for (const auto& [id, status] : view->partial) {
    if (IsBad(status)) GN_LOG(logger_, kWarn, "a block is skipped", {"block", id.ToString()}, {"err", status});
  }
  GN_LOG(logger_, kInfo, "successfully synchronized block metadata", {"duration_ms", took.count() * 1000},
         {"returned", view->metas.size()}, {"partial", view->partial.size()});
  return view;
}

}  // namespace gauntlet::blocks
