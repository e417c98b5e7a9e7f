#include "compactor/downsampling.h"

#include <algorithm>
#include <set>

#include "blocks/block_objects.h"
#include "compactor/merge_job.h"
#include "io/path.h"

namespace gauntlet::compactor {
namespace {

constexpr size_t kMetaBytesMax = 64 << 20;

}  // namespace

std::vector<DownsampleTask> DueDownsampling(const blocks::MetaMap& metas) {
  std::set<Ulid> in_5m, in_1h;
  for (const auto& [id, meta] : metas) {
    const std::vector<Ulid>& sources = meta->block.compaction.sources;
    if (meta->thanos.resolution_ms == kFiveMinutesMs) in_5m.insert(sources.begin(), sources.end());
    if (meta->thanos.resolution_ms == kOneHourMs) in_1h.insert(sources.begin(), sources.end());
  }
  std::vector<DownsampleTask> tasks;
  for (const auto& [id, meta] : metas) {
    const bool raw = meta->thanos.resolution_ms == 0;
    if (!raw && meta->thanos.resolution_ms != kFiveMinutesMs) continue;
    const std::set<Ulid>& done = raw ? in_5m : in_1h;
    const std::vector<Ulid>& sources = meta->block.compaction.sources;
    const bool missing =
        std::any_of(sources.begin(), sources.end(), [&](const Ulid& source) { return !done.contains(source); });
    const int64_t span = meta->block.maxt_ms - meta->block.mint_ms;
    if (!missing || span < (raw ? kDownsampleTo5mFromMs : kDownsampleTo1hFromMs)) continue;
    tasks.push_back({meta, raw ? kFiveMinutesMs : kOneHourMs});
  }
  return tasks;
}

DownsampleJobs::DownsampleJobs(DownsampleOptions options, MakeBlock make, const JobContext& context)
    : options_(std::move(options)), make_(std::move(make)), context_(context) {}

Result<blocks::MetaPtr> DownsampleJobs::Run(const DownsampleTask& task, const Cancel& cancel, tsdb::BlockFault* fault) {
  const Ulid from = task.block->block.ulid;
  const std::string parameters = "downsample " + std::to_string(task.resolution_ms) + " " +
                                 std::to_string(blocks::GoLabelsHash(task.block->thanos.labels));
  GN_ASSIGN(OutputId output, ChooseOutputId(context_, std::vector<Ulid>{from}, parameters, cancel));
  if (output.there != nullptr) return output.there;
  GN_TRY(CheckObjects(context_.bucket, *task.block, cancel, fault));
  const std::string dir = io::JoinPath(options_.work_dir, from.ToString() + "-" + std::to_string(task.resolution_ms));
  Result<blocks::MetaPtr> made = Make(task, output.id, dir, cancel, fault);
  Status removed = context_.files.RemoveAll(dir);
  if (!removed.ok()) GN_LOG(context_.logger, kWarn, "a work directory stays", {"dir", dir}, {"err", removed});
  return made;
}

Result<blocks::MetaPtr> DownsampleJobs::Make(const DownsampleTask& task, const Ulid& id, const std::string& dir,
                                             const Cancel& cancel, tsdb::BlockFault* fault) {
  const Ulid from = task.block->block.ulid;
  GN_TRY(context_.files.RemoveAll(dir));
  const std::string source = io::JoinPath(dir, from.ToString()), out = io::JoinPath(dir, id.ToString());
  GN_TRY(blocks::DownloadBlock(context_.bucket, context_.files, context_.blocking, from, source,
                               options_.output.files_concurrency, cancel)
             .Wrap("download block " + from.ToString()));
  GN_ASSIGN(bool any, make_(source, *task.block, task.resolution_ms, dir, id, cancel, fault));
  if (!any) return blocks::MetaPtr();
  GN_ASSIGN(std::string text, context_.files.ReadFile(io::JoinPath(out, tsdb::kMetaFile), kMetaBytesMax));
  GN_ASSIGN(blocks::Meta meta, blocks::ParseMeta(text));
  meta.thanos = task.block->thanos;
  meta.thanos.resolution_ms = task.resolution_ms;
  meta.thanos.source = blocks::kCompactorSource;
  return PublishBlock(context_, options_.output, out, std::move(meta), cancel);
}

}  // namespace gauntlet::compactor
