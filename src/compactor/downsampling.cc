#include "compactor/downsampling.h"

#include <algorithm>
#include <set>

#include "blockstream/bucket_source.h"
#include "compactor/merge_job.h"
#include "tsdb/compact/downsample_block.h"

namespace gauntlet::compactor {
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

DownsampleJobs::DownsampleJobs(DownsampleOptions options, const JobContext& context, Executor& workers)
    : options_(std::move(options)), context_(context), workers_(workers) {}

Result<blocks::MetaPtr> DownsampleJobs::Run(const DownsampleTask& task, const Cancel& cancel, tsdb::BlockFault* fault) {
  const std::string parameters = "downsample " + std::to_string(task.resolution_ms) + " " +
                                 std::to_string(blocks::GoLabelsHash(task.block->thanos.labels));
  const std::vector<Ulid> from = {task.block->block.ulid};
  GN_ASSIGN(OutputId output, ChooseOutputId(context_, from, parameters, cancel));
  if (output.there != nullptr) return output.there;
  return Make(task, output.id, cancel, fault);
}

Result<blocks::MetaPtr> DownsampleJobs::Make(const DownsampleTask& task, const Ulid& id, const Cancel& cancel,
                                             tsdb::BlockFault* fault) {
  GN_TRY(CheckObjects(context_.bucket, *task.block, cancel, fault));
  blockstream::BucketSourceOptions source_options;
  source_options.ahead = &context_.blocking;
  source_options.budget = context_.budget;
  GN_ASSIGN(auto source,
            blockstream::BucketBlockSource::Open(context_.bucket, task.block->block, source_options, cancel, fault));
  blocks::Meta meta = *task.block;
  meta.block.ulid = id;
  meta.thanos.resolution_ms = task.resolution_ms;
  meta.thanos.source = blocks::kCompactorSource;
  GN_ASSIGN(auto sink, OpenSink(context_, options_.output, options_.work_dir, std::move(meta), false, cancel));
  tsdb::DownsampleOptions options;
  options.from_resolution_ms = task.block->thanos.resolution_ms;
  options.resolution_ms = task.resolution_ms;
  options.executor = &workers_;
  GN_ASSIGN(std::optional<tsdb::BlockMeta> made, tsdb::DownsampleBlock(*source, options, *sink, cancel, fault));
  if (!made.has_value()) return blocks::MetaPtr();
  return blocks::MetaPtr(std::make_shared<blocks::Meta>(sink->full_meta()));
}

}  // namespace gauntlet::compactor
