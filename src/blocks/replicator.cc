#include "blocks/replicator.h"

#include <algorithm>
#include <chrono>
#include <set>

#include "base/clock.h"
#include "blocks/block_objects.h"
#include "objstore/directories.h"

namespace gauntlet::blocks {
namespace {

constexpr uint64_t kReadBytes = 4 << 20;
constexpr size_t kObjectsAtOnce = 4;
constexpr size_t kMetaBytesMax = 64 << 20;

// An object of another bucket, read by ranges.
class ObjectSource final : public objstore::Source {
 public:
  ObjectSource(objstore::Bucket& bucket, const std::string& name, uint64_t bytes, const Cancel& cancel)
      : bucket_(bucket), name_(name), bytes_(bytes), cancel_(cancel) {}

  Result<size_t> Read(char* out, size_t n) override {
    if (taken_ == buffer_.size()) {
      taken_ = 0;
      uint64_t want = std::min(kReadBytes, bytes_ - at_);
      if (want == 0) return size_t{0};
      GN_ASSIGN(buffer_, objstore::ReadRange(bucket_, name_, at_, want, cancel_));
      if (buffer_.size() != want) return Status(Code::kUnavailable, name_ + " became shorter while it was read");
      at_ += want;
    }
    n = buffer_.copy(out, n, taken_);
    taken_ += n;
    return n;
  }
  std::optional<uint64_t> bytes() const override { return bytes_; }

 private:
  objstore::Bucket& bucket_;
  const std::string& name_;
  const uint64_t bytes_;
  const Cancel& cancel_;
  uint64_t at_ = 0;
  std::string buffer_;
  size_t taken_ = 0;
};

}  // namespace

bool ReplicationFilter::Matches(const Meta& meta) const {
  if (meta.thanos.labels.empty()) return false;
  if (!ids.empty()) return std::find(ids.begin(), ids.end(), meta.block.ulid) != ids.end();
  Labels labels = meta.thanos.ExternalLabels();
  for (const Matcher& matcher : matchers) {
    if (!matcher.Matches(labels.Get(matcher.name()))) return false;
  }
  return std::find(resolutions_ms.begin(), resolutions_ms.end(), meta.thanos.resolution_ms) != resolutions_ms.end() &&
         std::find(levels.begin(), levels.end(), meta.block.compaction.level) != levels.end();
}

Replicator::Replicator(ReplicationFilter filter, MetaFetcher& fetcher, objstore::Bucket& from, objstore::Bucket& to,
                       Executor& executor, telemetry::Registry& registry, telemetry::Logger& logger)
    : filter_(std::move(filter)),
      fetcher_(fetcher),
      from_(from),
      to_(to),
      executor_(executor),
      logger_(logger),
      already_replicated_(registry.MakeCounter("thanos_replicate_blocks_already_replicated_total",
                                               "Total number of blocks skipped due to already being replicated.")),
      blocks_replicated_(
          registry.MakeCounter("thanos_replicate_blocks_replicated_total", "Total number of blocks replicated.")),
      objects_replicated_(
          registry.MakeCounter("thanos_replicate_objects_replicated_total", "Total number of objects replicated.")),
      runs_(registry.MakeCounters("thanos_replicate_replication_runs_total",
                                  "The number of replication runs split by success and error.", {"result"})),
      run_seconds_(registry.MakeHistograms("thanos_replicate_replication_run_duration_seconds",
                                           "The Duration of replication runs split by success and error.", {"result"},
                                           {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10})) {
  for (const char* result : {"success", "error"}) {
    runs_.With({result});
    run_seconds_.With({result});
  }
}

Status Replicator::CopyObject(const std::string& name, uint64_t bytes, const Cancel& cancel) {
  ObjectSource source(from_, name, bytes, cancel);
  GN_TRY(to_.Upload(name, source, {}, cancel).Wrap("replicate object " + name));
  objects_replicated_.Add();
  GN_LOG(logger_, kInfo, "object replicated", {"object", name});
  return Status();
}

Status Replicator::Replicate(const Ulid& id, const Cancel& cancel) {
  const std::string dir = id.ToString() + "/", meta_name = dir + tsdb::kMetaFile;
  GN_ASSIGN(std::string meta, objstore::ReadObject(from_, meta_name, cancel, kMetaBytesMax));
  Result<std::string> there = objstore::ReadObject(to_, meta_name, cancel, kMetaBytesMax);
  if (there.ok() && *there == meta) {
    already_replicated_.Add();
    return Status();
  }
  if (!there.ok() && there.status().code() != Code::kNotFound) return there.status();
  std::vector<std::pair<std::string, uint64_t>> wanted;
  std::set<std::pair<std::string, uint64_t>> have;
  auto list = [&](objstore::Bucket& bucket, const auto& add) {
    return bucket.Iter(dir, {.recursive = true, .attributes = true}, cancel, [&](const objstore::ObjectEntry& entry) {
      std::string_view path = entry.name.substr(dir.size());
      // Chunks and index: marks are for the bucket that they were made in.
      if (path == kIndexFile || path.starts_with("chunks/")) add(std::string(entry.name), entry.bytes);
      return Status();
    });
  };
  GN_TRY(list(from_, [&](std::string name, uint64_t bytes) { wanted.emplace_back(std::move(name), bytes); }));
  GN_TRY(list(to_, [&](std::string name, uint64_t bytes) { have.emplace(std::move(name), bytes); }));
  std::erase_if(wanted, [&](const auto& object) { return have.contains(object); });
  GN_TRY(objstore::ForEachConcurrently(
      executor_, wanted.size(), kObjectsAtOnce, cancel,
      [&](size_t i, const Cancel& part) { return CopyObject(wanted[i].first, wanted[i].second, part); }));
  GN_TRY(objstore::WriteObject(to_, meta_name, meta, cancel));
  objects_replicated_.Add();
  blocks_replicated_.Add();
  return Status();
}

Status Replicator::Run(const Cancel& cancel) {
  const auto begun = SystemClock().Now();
  auto run = [&]() -> Status {
    GN_ASSIGN(BlockView view, fetcher_.Fetch(cancel));
    GN_TRY(view.incomplete);
    for (const auto& [id, why] : view.partial) {
      GN_LOG(logger_, kInfo, "block is passed over", {"block", id.ToString()}, {"err", why});
    }
    std::vector<MetaPtr> blocks;
    for (const auto& [id, meta] : view.metas) {
      if (filter_.Matches(*meta)) blocks.push_back(meta);
    }
    std::stable_sort(blocks.begin(), blocks.end(),
                     [](const MetaPtr& a, const MetaPtr& b) { return a->block.mint_ms < b->block.mint_ms; });
    for (const MetaPtr& meta : blocks) {
      const Ulid& id = meta->block.ulid;
      GN_TRY(Replicate(id, cancel).Wrap("ensure block " + id.ToString() + " is replicated"));
    }
    return Status();
  };
  Status status = run();
  const char* result = status.ok() ? "success" : "error";
  runs_.With({result}).Add();
  run_seconds_.With({result}).Observe(std::chrono::duration<double>(SystemClock().Now() - begun).count());
  return status;
}

}  // namespace gauntlet::blocks
