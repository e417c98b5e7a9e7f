#include "compactor/merge_job.h"

#include <algorithm>
#include <map>

#include "blocks/block_objects.h"
#include "io/path.h"
#include "objstore/directories.h"
#include "tsdb/block/block.h"
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

Result<std::unique_ptr<tsdb::BlockSource>> MergeJobs::Fetch(const blocks::Meta& meta, const std::string& dir,
                                                            const Cancel& cancel, tsdb::BlockFault* fault) {
  const Ulid& id = meta.block.ulid;
  GN_TRY(CheckObjects(context_.bucket, meta, cancel, fault));
  const std::string to = io::JoinPath(dir, id.ToString());
  GN_TRY(blocks::DownloadBlock(context_.bucket, context_.files, context_.blocking, id, to,
                               options_.output.files_concurrency, cancel)
             .Wrap("download block " + id.ToString()));
  Result<std::shared_ptr<const tsdb::Block>> block = tsdb::Block::Open(context_.files, to);
  if (!block.ok()) {
    if (IsPassing(block.status())) return block.status();
    return Blame(fault, tsdb::FaultKind::kIndex, id, block.status());
  }
  return std::unique_ptr<tsdb::BlockSource>(std::make_unique<tsdb::LocalBlockSource>(*std::move(block)));
}

Result<MergeResult> MergeJobs::Run(const MergeRequest& request, const Cancel& cancel, tsdb::BlockFault* fault) {
  std::vector<Ulid> ids;
  for (const blocks::MetaPtr& meta : request.sources) ids.push_back(meta->block.ulid);
  std::string parameters = std::string(KindName(options_.kind)) + " " + request.group->key;
  if (request.accept_unordered_chunks) parameters += " unordered";
  if (request.covers_sources) parameters += " covering";
  GN_ASSIGN(OutputId output, ChooseOutputId(context_, ids, parameters, cancel));
  if (output.there != nullptr) return MergeResult{output.there, true};
  const std::string dir = io::JoinPath(options_.work_dir, request.group->key);
  Result<blocks::MetaPtr> made = Merge(request, output.id, dir, cancel, fault);
  if (!made.ok() && made.status().code() == Code::kExhausted) {
    // A full disk: what could be used again is worth less than room.
    GN_LOG(context_.logger, kWarn, "removing downloaded blocks to make room", {"dir", dir}, {"err", made.status()});
    (void)context_.files.RemoveAll(dir);
  }
  GN_TRY(made.status());
  GN_TRY(context_.files.RemoveAll(dir));
  return MergeResult{*std::move(made), false};
}

Result<blocks::MetaPtr> MergeJobs::Merge(const MergeRequest& request, const Ulid& id, const std::string& dir,
                                         const Cancel& cancel, tsdb::BlockFault* fault) {
  GN_TRY(context_.files.MakeDirectories(dir));
  std::vector<std::unique_ptr<tsdb::BlockSource>> sources(request.sources.size());
  std::vector<tsdb::BlockFault> faults(request.sources.size());
  Status fetched = objstore::ForEachConcurrently(context_.blocking, request.sources.size(), options_.blocks_concurrency,
                                                 cancel, [&](size_t i, const Cancel& part) {
                                                   Result<std::unique_ptr<tsdb::BlockSource>> source =
                                                       Fetch(*request.sources[i], dir, part, &faults[i]);
                                                   if (source.ok()) sources[i] = *std::move(source);
                                                   return source.status();
                                                 });
  for (const tsdb::BlockFault& found : faults) {
    if (found.kind != tsdb::FaultKind::kNone && fault != nullptr) *fault = found;
  }
  GN_TRY(fetched);

  std::vector<const tsdb::BlockMeta*> metas;
  for (const blocks::MetaPtr& meta : request.sources) metas.push_back(&meta->block);
  tsdb::BlockMeta planned = tsdb::CompactedMeta(metas, id);
  if (request.covers_sources) CoverSources(request.sources, &planned);
  const std::string out = io::JoinPath(dir, id.ToString());
  GN_TRY(context_.files.RemoveAll(out));
  GN_ASSIGN(auto sink, tsdb::LocalBlockSink::Create(context_.files, dir, std::move(planned)));
  tsdb::CompactOptions options;
  options.kind = options_.kind;
  options.executor = &workers_;
  options.accept_unordered_chunks = request.accept_unordered_chunks;
  options.on_progress = request.on_progress;
  GN_ASSIGN(std::optional<tsdb::BlockMeta> made, tsdb::CompactBlocks(sources, options, *sink, cancel, fault));
  if (!made.has_value()) return blocks::MetaPtr();
  blocks::Meta meta;
  meta.block = *std::move(made);
  meta.thanos.version = 0;  // upstream's compactor does not write it
  meta.thanos.labels = request.group->labels;
  meta.thanos.resolution_ms = request.group->resolution_ms;
  meta.thanos.source = request.source;
  meta.thanos.extensions = CombineExtensions(request.group->blocks);
  return PublishBlock(context_, options_.output, out, std::move(meta), cancel);
}

void MergeJobs::CleanWorkDir(const std::vector<Group>& groups) {
  Result<std::vector<io::FileInfo>> dirs = context_.files.List(options_.work_dir);
  if (!dirs.ok()) return;  // nothing was made yet
  auto remove = [&](const std::string& path) {
    Status status = context_.files.RemoveAll(path);
    if (!status.ok()) GN_LOG(context_.logger, kWarn, "a work directory stays", {"path", path}, {"err", status});
  };
  for (const io::FileInfo& dir : *dirs) {
    const std::string path = io::JoinPath(options_.work_dir, dir.name);
    auto group = std::find_if(groups.begin(), groups.end(), [&](const Group& g) { return g.key == dir.name; });
    Result<std::vector<io::FileInfo>> found = context_.files.List(path);
    if (group == groups.end() || !found.ok()) {
      remove(path);
      continue;
    }
    for (const io::FileInfo& block : *found) {
      const bool known = std::any_of(group->blocks.begin(), group->blocks.end(), [&](const blocks::MetaPtr& meta) {
        return meta->block.ulid.ToString() == block.name;
      });
      if (!known) remove(io::JoinPath(path, block.name));
    }
  }
}

}  // namespace gauntlet::compactor
