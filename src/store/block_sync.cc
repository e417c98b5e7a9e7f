#include "store/block_sync.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "objstore/directories.h"

namespace gauntlet::store {

BlockSync::BlockSync(BlockSyncOptions options, blocks::MetaFetcher& fetcher, BucketStore& store,
                     const BlockEnvironment& environment, io::FileSystem& files, IndexHeaderMetrics& header_metrics,
                     StoreMetrics& metrics, telemetry::Logger& logger, Clock& clock)
    : options_(std::move(options)),
      fetcher_(fetcher),
      store_(store),
      environment_(environment),
      files_(files),
      header_metrics_(header_metrics),
      metrics_(metrics),
      logger_(logger),
      clock_(clock) {}

BlockSync::Opened BlockSync::Open(const Ulid& id, const blocks::Meta& meta) {
  BlockFacts facts;
  facts.ulid = id;
  facts.mint_ms = meta.block.mint_ms;
  facts.maxt_ms = meta.block.maxt_ms;
  facts.resolution_ms = meta.thanos.resolution_ms;
  facts.external = meta.thanos.ExternalLabels();
  facts.segments = meta.thanos.segment_files;
  facts.series_bytes_max = static_cast<uint64_t>(std::max<int64_t>(meta.thanos.series_bytes_max, 0));
  Opened opened;
  uint64_t index_bytes = 0;
  for (const blocks::BlockFile& file : meta.thanos.files) {
    if (file.rel_path == blocks::kIndexFile) index_bytes = static_cast<uint64_t>(std::max<int64_t>(file.bytes, 0));
  }
  opened.header = std::make_shared<IndexHeaderFile>(*environment_.bucket, files_, options_.data_dir, id, index_bytes,
                                                    header_metrics_, options_.budget);
  opened.block = std::make_shared<BucketBlock>(std::move(facts), opened.header, environment_);
  return opened;
}

Status BlockSync::Sync(const Cancel& cancel) {
  GN_ASSIGN(blocks::BlockView view, fetcher_.Fetch(cancel));
  for (const auto& [id, meta] : view.metas) {
    if (opened_.count(id) != 0) continue;
    metrics_.block_loads.Add();
    opened_.emplace(id, Open(id, *meta));
    metrics_.last_loaded_seconds.Set(static_cast<double>(clock_.NowMs()) / 1000);
  }
  if (view.incomplete.ok()) DropGone(view.metas);
  std::vector<BucketBlockPtr> blocks;
  for (const auto& [id, opened] : opened_) blocks.push_back(opened.block);
  metrics_.blocks_loaded.Set(static_cast<double>(blocks.size()));
  store_.Serve(std::make_shared<ServedBlocks>(std::move(blocks)));
  if (view.incomplete.ok()) CleanDirectory();
  return view.incomplete;
}

void BlockSync::DropGone(const blocks::MetaMap& metas) {
  for (auto at = opened_.begin(); at != opened_.end();) {
    if (metas.count(at->first) != 0) {
      ++at;
      continue;
    }
    metrics_.block_drops.Add();
    GN_LOG(logger_, kInfo, "dropped outdated block", {"block", at->second.block->id()});
    at = opened_.erase(at);
  }
}

// Headers of blocks that are gone: also those from before the last start.
void BlockSync::CleanDirectory() {
  if (options_.data_dir.empty()) return;
  Result<std::vector<io::FileInfo>> entries = files_.ListNames(options_.data_dir);
  if (!entries.ok()) return;
  for (const io::FileInfo& entry : *entries) {
    std::optional<Ulid> id = Ulid::Parse(entry.name);
    if (!entry.is_directory || !id || opened_.count(*id) != 0) continue;
    if (Status removed = files_.RemoveAll(options_.data_dir + "/" + entry.name); !removed.ok()) {
      metrics_.block_drop_failures.Add();
      GN_LOG(logger_, kWarn, "remove an index header", {"block", entry.name}, {"err", removed.message()});
    }
  }
}

void BlockSync::PrepareHeaders(const Cancel& cancel) {
  std::vector<std::shared_ptr<IndexHeaderFile>> headers;
  std::vector<std::string> ids;
  for (const auto& [id, opened] : opened_) {
    headers.push_back(opened.header);
    ids.push_back(opened.block->id());
  }
  Status status = objstore::ForEachConcurrently(
      *environment_.executor, headers.size(), options_.prepare_concurrency, cancel, [&](size_t i, const Cancel& each) {
        Status made = headers[i]->Prepare(each);
        if (made.code() == Code::kExhausted) return made;  // a full disk takes none of the others either
        if (!made.ok() && !each.stopped()) {
          metrics_.block_load_failures.Add();
          GN_LOG(logger_, kWarn, "loading block failed", {"block", ids[i]}, {"err", made.message()});
        }
        return cancel.status();
      });
  if (!status.ok() && !cancel.stopped()) {
    GN_LOG(logger_, kWarn, "index headers are not on disk; those are held in memory while they are used",
           {"err", status.message()});
  }
}

void BlockSync::ReleaseIdle() {
  if (options_.idle_timeout.count() <= 0) return;
  const auto before = std::chrono::steady_clock::now() - options_.idle_timeout;
  for (const auto& [id, opened] : opened_) opened.header->ReleaseIdle(before, options_.release_files);
}

}  // namespace gauntlet::store
