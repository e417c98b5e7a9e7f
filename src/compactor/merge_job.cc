#include "compactor/merge_job.h"

#include <algorithm>
#include <map>

#include "blockstream/bucket_source.h"
#include "compactor/checked_source.h"
#include "io/path.h"
#include "objstore/directories.h"
#include "tsdb/compact/compacted_meta.h"

namespace gauntlet::compactor {
namespace {

Status Blame(tsdb::BlockFault* fault, tsdb::FaultKind kind, const Ulid& id, Status status) {
  if (fault != nullptr) *fault = {kind, id, ""};
  return std::move(status).Wrap("block " + id.ToString());
}

}  // namespace

std::string_view KindName(tsdb::MergeKind kind) {
  switch (kind) {
    case tsdb::MergeKind::kChain:
      return "chain";
    case tsdb::MergeKind::kPenalty:
      return "penalty";
    case tsdb::MergeKind::kPenaltyExact:
      return "penalty-exact";
  }
  return "";
}

Status CheckObjects(objstore::Bucket& bucket, const blocks::Meta& meta, const Cancel& cancel, tsdb::BlockFault* fault) {
  const Ulid& id = meta.block.ulid;
  const std::string prefix = id.ToString() + "/";
  std::map<std::string, uint64_t> there;
  GN_TRY(bucket.Iter(prefix, {.recursive = true, .attributes = true}, cancel, [&](const objstore::ObjectEntry& entry) {
    there[std::string(entry.name.substr(prefix.size()))] = entry.bytes;
    return Status();
  }));
  if (!there.contains(tsdb::kMetaFile)) return {Code::kUnavailable, "block " + id.ToString() + " went away meanwhile"};
  for (const blocks::BlockFile& file : meta.thanos.files) {
    if (file.rel_path == tsdb::kMetaFile) continue;
    const auto kind = file.rel_path == blocks::kIndexFile ? tsdb::FaultKind::kIndex : tsdb::FaultKind::kMissingChunk;
    auto found = there.find(file.rel_path);
    if (found == there.end())
      return Blame(fault, kind, id, Status(Code::kCorrupt, file.rel_path + " is not in the bucket"));
    if (file.bytes > 0 && found->second != static_cast<uint64_t>(file.bytes)) {
      return Blame(fault, kind, id,
                   Status(Code::kCorrupt, file.rel_path + " has " + std::to_string(found->second) +
                                              " bytes, and should have " + std::to_string(file.bytes)));
    }
  }
  if (!there.contains(blocks::kIndexFile))
    return Blame(fault, tsdb::FaultKind::kIndex, id, Status(Code::kCorrupt, "there is no index"));
  return Status();
}

void CoverSources(const BlockList& sources, tsdb::BlockMeta* meta) {
  std::vector<Ulid>& ids = meta->compaction.sources;
  for (const blocks::MetaPtr& source : sources) ids.push_back(source->block.ulid);
  ids.push_back(meta->ulid);  // one more than any of them has: of blocks with the same sources the older one stays
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
}

MergeJobs::MergeJobs(MergeOptions options, const JobContext& context, Executor& workers)
    : options_(std::move(options)), context_(context), workers_(workers) {}

Result<std::unique_ptr<tsdb::BlockSource>> MergeJobs::OpenSource(const blocks::Meta& meta, size_t blocks,
                                                                 const Cancel& cancel, tsdb::BlockFault* fault) {
  GN_TRY(CheckObjects(context_.bucket, meta, cancel, fault));
  blockstream::BucketSourceOptions options;
  options.ahead = &context_.blocking;
  options.budget = context_.budget;
  // Several groups may be merged at a time, and each holds symbols, an index and buffers beside.
  const size_t limit = context_.budget == nullptr ? 0 : context_.budget->limit_bytes();
  options.Share(context_.bucket, blocks, limit / 8);
  GN_ASSIGN(auto source, blockstream::BucketBlockSource::Open(context_.bucket, meta.block, options, cancel, fault));
  return std::unique_ptr<tsdb::BlockSource>(std::make_unique<CheckedSource>(std::move(source)));
}

Result<MergeResult> MergeJobs::Run(const MergeRequest& request, const Cancel& cancel, tsdb::BlockFault* fault) {
  std::vector<Ulid> ids;
  for (const blocks::MetaPtr& meta : request.sources) ids.push_back(meta->block.ulid);
  std::string parameters = std::string(KindName(options_.kind)) + " " + request.group->key;
  if (request.accept_unordered_chunks) parameters += " unordered";
  if (request.covers_sources) parameters += " covering";
  GN_ASSIGN(OutputId output, ChooseOutputId(context_, ids, parameters, cancel));
  if (output.there != nullptr) return MergeResult{output.there, true};
  GN_ASSIGN(blocks::MetaPtr made, Merge(request, output.id, cancel, fault));
  return MergeResult{std::move(made), false};
}

Result<blocks::MetaPtr> MergeJobs::Merge(const MergeRequest& request, const Ulid& id, const Cancel& cancel,
                                         tsdb::BlockFault* fault) {
  const size_t count = request.sources.size();
  std::vector<std::unique_ptr<tsdb::BlockSource>> sources(count);
  std::vector<tsdb::BlockFault> faults(count);
  Status opened = objstore::ForEachConcurrently(
      context_.blocking, count, options_.blocks_concurrency, cancel, [&](size_t i, const Cancel& part) -> Status {
        GN_ASSIGN(sources[i], OpenSource(*request.sources[i], count, part, &faults[i]));
        return Status();
      });
  for (const tsdb::BlockFault& found : faults) {
    if (found.kind != tsdb::FaultKind::kNone && fault != nullptr) *fault = found;
  }
  GN_TRY(opened);

  std::vector<const tsdb::BlockMeta*> metas;
  for (const blocks::MetaPtr& meta : request.sources) metas.push_back(&meta->block);
  blocks::Meta planned;
  planned.block = tsdb::CompactedMeta(metas, id);
  if (request.covers_sources) CoverSources(request.sources, &planned.block);
  planned.thanos.version = 0;  // upstream's compactor does not write it
  planned.thanos.labels = request.group->labels;
  planned.thanos.resolution_ms = request.group->resolution_ms;
  planned.thanos.source = request.source;
  planned.thanos.extensions = CombineExtensions(request.group->blocks);
  GN_ASSIGN(auto sink, OpenSink(context_, options_.output, io::JoinPath(options_.work_dir, request.group->key),
                                std::move(planned), false, cancel));
  tsdb::CompactOptions options;
  options.kind = options_.kind;
  options.executor = &workers_;
  options.accept_unordered_chunks = request.accept_unordered_chunks;
  options.on_progress = request.on_progress;
  options.budget = context_.budget;
  GN_ASSIGN(std::optional<tsdb::BlockMeta> made, tsdb::CompactBlocks(sources, options, *sink, cancel, fault));
  if (!made.has_value()) return blocks::MetaPtr();
  return blocks::MetaPtr(std::make_shared<blocks::Meta>(sink->full_meta()));
}

void MergeJobs::CleanWorkDir() {
  Status status = context_.files.RemoveAll(options_.work_dir);
  if (!status.ok())
    GN_LOG(context_.logger, kWarn, "a work directory stays", {"path", options_.work_dir}, {"err", status});
}

}  // namespace gauntlet::compactor
