#include "compactor/compactor.h"

#include <algorithm>
#include <atomic>

#include "base/sleep.h"
#include "blocks/block_objects.h"
#include "blocks/markers.h"
#include "compactor/repair_advice.h"
#include "objstore/directories.h"

namespace gauntlet::compactor {
namespace {

// The first error counts, the others are in the log.
void Keep(Status* first, Status status) {
  if (first->ok()) *first = std::move(status);
}

bool MarkedByRetention(const blocks::Marker& mark) { return mark.details.starts_with("block exceeding retention"); }

}  // namespace

Compactor::Compactor(CompactorOptions options, const CompactorParts& parts)
    : options_(std::move(options)), parts_(parts) {}

Result<std::shared_ptr<const BucketState>> Compactor::Sync(const Cancel& cancel) {
  GN_ASSIGN(BucketState state, parts_.syncer.Sync(cancel));
  auto shared = std::make_shared<const BucketState>(std::move(state));
  MutexLock lock(mutex_);
  last_ = shared;
  std::erase_if(deleted_, [&](const Ulid& id) { return !shared->all.contains(id) && !shared->partial.contains(id); });
  return std::shared_ptr<const BucketState>(shared);
}

Status Compactor::Iterate(const Cancel& cancel) {
  // A backlog of compactions does not starve the rest: beside a long one, it is done every now and then.
  CancelSource aside(cancel);
  Mutex mutex;
  CondVar ended;
  bool running = true;
  parts_.blocking.Run([&] {
    while (SleepFor(options_.patience, aside.cancel())) {
      GN_LOG(parts_.logger, kInfo, "compaction takes long; downsampling and retention go on beside it");
      Status status = DownsampleAndRetain(aside.cancel());
      if (!status.ok() && !aside.cancel().stopped())
        GN_LOG(parts_.logger, kWarn, "upkeep beside compaction", {"err", status});
    }
    MutexLock lock(mutex);
    running = false;
    ended.NotifyAll();
  });
  Status first = CompactAll(cancel).Wrap("compaction");
  aside.Stop();
  {
    MutexLock lock(mutex);
    while (running) ended.Wait(mutex);
  }
  if (!first.ok() && !cancel.stopped())
    GN_LOG(parts_.logger, kError, "compaction is put off, the rest goes on", {"err", first});
  GN_TRY(cancel.status());
  Keep(&first, DownsampleAndRetain(cancel));
  Clean(cancel);
  return first;
}

Status Compactor::CompactAll(const Cancel& cancel) {
  Status first;
  bool again = true;
  while (again) {
    GN_TRY(cancel.status());
    again = false;
    Keep(&first, CompactRound(cancel, &again));
  }
  parts_.progress.End();
  if (first.ok()) GN_LOG(parts_.logger, kInfo, "compaction iterations done");
  return first;
}

Status Compactor::CompactRound(const Cancel& cancel, bool* again) {
  GN_LOG(parts_.logger, kInfo, "start sync of metas");
  GN_ASSIGN(std::shared_ptr<const BucketState> state, Sync(cancel));
  GN_TRY(parts_.quarantine.Load(cancel).Wrap("read quarantine marks"));
  GN_TRY(parts_.quarantine.Forget(state->all, state->partial, cancel));
  GN_TRY(QuarantineBadMetas(*state, cancel));
  DeleteMarked(*state, cancel);
  GN_TRY(parts_.syncer.CollectGarbage(*state, parts_.quarantine, cancel));

  blocks::MetaMap metas = state->metas;
  {
    MutexLock lock(mutex_);
    for (const Ulid& id : deleted_) metas.erase(id);
  }
  std::vector<Group> groups = GroupBlocks(metas);
  parts_.merges.CleanWorkDir();
  const std::set<Ulid> excluded = state->Excluded(parts_.quarantine);
  const Backlog backlog = BacklogOf(groups, excluded);
  parts_.progress.Begin("compacting", backlog.compaction_bytes);
  std::erase_if(groups, [](const Group& group) { return group.blocks.size() < 2; });

  GN_LOG(parts_.logger, kInfo, "start of compactions", {"groups", groups.size()}, {"compactions", backlog.compactions});
  Mutex mutex;
  Status first;
  GN_TRY(objstore::ForEachConcurrently(
      parts_.blocking, groups.size(), options_.concurrency, cancel, [&](size_t i, const Cancel& part) {
        Result<RunOutcome> outcome = parts_.runner.Run(&groups[i], excluded, part);
        if (part.stopped()) return part.status();
        MutexLock lock(mutex);
        if (outcome.ok()) {
          if (outcome->merged > 0 || outcome->set_aside > 0) *again = true;
          return Status();
        }
        // One group's trouble is not that of the others.
        GN_LOG(parts_.logger, kError, "compaction of a group is put off", {"err", outcome.status()});
        Keep(&first, outcome.status());
        return Status();
      }));
  return first;
}

Status Compactor::QuarantineBadMetas(const BucketState& state, const Cancel& cancel) {
  for (const auto& [id, status] : state.partial) {
    if (status.code() == Code::kNotFound) continue;
    QuarantineMark mark;
    mark.subject = id.ToString();
    mark.blocks = {id};
    mark.reason = kBadMetaReason;
    mark.details = status.message();
    mark.repair = AdviceFor(mark);
    mark.time_s = parts_.clock.NowMs() / 1000;
    GN_TRY(parts_.quarantine.Put(mark, cancel).status());
  }
  for (const auto& [subject, mark] : parts_.quarantine.marks()) {
    auto id = Ulid::Parse(subject);
    if (mark.reason == kBadMetaReason && id.has_value() && state.all.contains(*id))
      GN_TRY(parts_.quarantine.Lift(subject, cancel));
  }
  return Status();
}

Status Compactor::DownsampleAndRetain(const Cancel& cancel) {
  MutexLock lock(upkeep_);
  Status first;
  if (options_.downsampling) {
    Keep(&first, DownsampleAll(cancel));
    GN_TRY(cancel.status());
  } else {
    GN_LOG(parts_.logger, kInfo, "downsampling was explicitly disabled");
  }
  Keep(&first, ApplyRetention(cancel));
  return first;
}

// Two passes, so that what the first one made of 5m becomes 1h in the same iteration.
Status Compactor::DownsampleAll(const Cancel& cancel) {
  Status first = DownsamplePass("first", cancel);
  GN_TRY(cancel.status());
  Keep(&first, DownsamplePass("second", cancel));
  if (first.ok()) GN_LOG(parts_.logger, kInfo, "downsampling iterations done");
  return first;
}

Status Compactor::DownsamplePass(const char* pass, const Cancel& cancel) {
  GN_LOG(parts_.logger, kInfo, "start pass of downsampling", {"pass", pass});
  GN_ASSIGN(std::shared_ptr<const BucketState> state, Sync(cancel));
  const std::set<Ulid> quarantined = parts_.quarantine.Blocks();
  blocks::MetaMap metas = state->metas;
  std::erase_if(metas, [&](const auto& entry) {
    // What was marked for its age is downsampled while it is there; other marked blocks are given up.
    auto mark = state->deletion_marks.find(entry.first);
    return state->no_downsample.contains(entry.first) || quarantined.contains(entry.first) ||
           (mark != state->deletion_marks.end() && !MarkedByRetention(mark->second));
  });
  for (const auto& [id, meta] : metas) parts_.metrics.Touch(std::to_string(meta->thanos.resolution_ms));
  const std::vector<DownsampleTask> tasks = DueDownsampling(metas);
  int64_t bytes = 0;
  for (const DownsampleTask& task : tasks) bytes += SizeOf(*task.block);
  if (!tasks.empty()) parts_.progress.Begin("downsampling", bytes);
  Mutex mutex;
  Status first;
  Status ended = objstore::ForEachConcurrently(
      parts_.blocking, tasks.size(), options_.downsample_concurrency, cancel, [&](size_t i, const Cancel& part) {
        Status status = DownsampleOne(tasks[i], part);
        if (part.stopped()) return part.status();
        MutexLock lock(mutex);
        if (!status.ok()) GN_LOG(parts_.logger, kError, "downsampling of a block is put off", {"err", status});
        Keep(&first, std::move(status));
        return Status();
      });
  if (!tasks.empty()) parts_.progress.End();
  GN_TRY(ended);
  return first.Wrap(std::string(pass) + " pass of downsampling");
}

Status Compactor::DownsampleOne(const DownsampleTask& task, const Cancel& cancel) {
  const std::string id = task.block->block.ulid.ToString();
  const std::string resolution = std::to_string(task.block->thanos.resolution_ms);
  std::unique_ptr<Lease> lease;
  if (parts_.leases != nullptr) {
    GN_ASSIGN(lease, parts_.leases->Take("downsample-" + id, cancel));
    if (lease == nullptr) return Status();
  }
  const auto begun = parts_.clock.Now();
  tsdb::BlockFault fault;
  Result<blocks::MetaPtr> made = parts_.downsamples.Run(task, cancel, &fault);
  parts_.metrics.downsample_seconds.With({resolution})
      .Observe(std::chrono::duration<double>(parts_.clock.Now() - begun).count());
  parts_.progress.Add(SizeOf(*task.block));
  if (made.ok()) {
    parts_.metrics.downsamples.With({resolution}).Add();
    GN_LOG(parts_.logger, kInfo, "downsampled block", {"from", id}, {"to_resolution_ms", task.resolution_ms},
           {"to", *made == nullptr ? "" : (*made)->block.ulid.ToString()});
    return Status();
  }
  if (cancel.stopped()) return cancel.status();
  parts_.metrics.DownsampleFailed(resolution);
  if (IsPassing(made.status())) return made.status().Wrap("downsample " + id);
  GN_ASSIGN(bool there, parts_.bucket.Exists(id + "/" + tsdb::kMetaFile, cancel));
  if (!there) return Status(Code::kUnavailable, "block " + id + " went away while it was downsampled");
  QuarantineMark mark;
  mark.subject = id;
  mark.group = Group{"", task.block->thanos.labels, task.block->thanos.resolution_ms, {}}.Name();
  mark.blocks = {task.block->block.ulid};
  mark.reason = fault.kind == tsdb::FaultKind::kNone ? kDownsampleReason : ReasonOf(fault.kind);
  mark.details = made.status().message();
  mark.series = fault.series;
  mark.repair = AdviceFor(mark);
  mark.time_s = parts_.clock.NowMs() / 1000;
  return parts_.quarantine.Put(mark, cancel).status();
}

Status Compactor::ApplyRetention(const Cancel& cancel) {
  GN_ASSIGN(std::shared_ptr<const BucketState> state, Sync(cancel));
  GN_LOG(parts_.logger, kInfo, "start optional retention");
  blocks::UpkeepResult result = blocks::ApplyRetention(Upkeep(), state->metas, options_.retention, cancel);
  for (size_t i = 0; i < result.done.size(); ++i) parts_.metrics.Marked(blocks::kDeletionMarkFile, "");
  GN_LOG(parts_.logger, kInfo, "optional retention apply done", {"marked", result.done.size()});
  return result.first_error.Wrap("retention");
}

void Compactor::Clean(const Cancel& cancel) {
  std::shared_ptr<const BucketState> state;
  {
    MutexLock lock(mutex_);
    state = last_;
  }
  if (state == nullptr) return;
  DeleteMarked(*state, cancel);
  CleanPartial(*state, cancel);
  if (parts_.leases != nullptr) {
    Status status = parts_.leases->DropStale(cancel);
    if (!status.ok() && !cancel.stopped()) GN_LOG(parts_.logger, kWarn, "old leases stay", {"err", status});
  }
  parts_.metrics.cleanups.Add();
}

void Compactor::DeleteMarked(const BucketState& state, const Cancel& cancel) {
  MutexLock cleaning(cleaning_);
  std::map<Ulid, blocks::Marker> marks = state.deletion_marks;
  {
    MutexLock lock(mutex_);
    for (const Ulid& id : deleted_) marks.erase(id);
  }
  blocks::UpkeepResult result = blocks::DeleteMarkedBlocks(Upkeep(), marks, options_.delete_delay, cancel);
  parts_.metrics.blocks_cleaned.Add(static_cast<double>(result.done.size()));
  parts_.metrics.cleanup_failures.Add(result.failed);
  MutexLock lock(mutex_);
  deleted_.insert(result.done.begin(), result.done.end());
}

void Compactor::CleanPartial(const BucketState& state, const Cancel& cancel) {
  MutexLock cleaning(cleaning_);
  std::map<Ulid, Status> partial = state.partial;
  {
    MutexLock lock(mutex_);
    for (const Ulid& id : deleted_) partial.erase(id);
  }
  std::map<Ulid, blocks::Marker> begun = blocks::BrokenOffDeletions(Upkeep(), partial, cancel);
  blocks::UpkeepResult finished = blocks::DeleteMarkedBlocks(Upkeep(), begun, options_.delete_delay, cancel);
  blocks::UpkeepResult cleaned = blocks::CleanPartialUploads(
      Upkeep(), partial, begun,
      std::max<std::chrono::milliseconds>(options_.consistency_delay, blocks::kPartialUploadAge), cancel);
  parts_.metrics.partial_deletion_attempts.Add(static_cast<double>(cleaned.done.size()) + cleaned.failed);
  parts_.metrics.blocks_cleaned.Add(static_cast<double>(finished.done.size() + cleaned.done.size()));
  parts_.metrics.cleanup_failures.Add(finished.failed + cleaned.failed);
  MutexLock lock(mutex_);
  deleted_.insert(finished.done.begin(), finished.done.end());
  deleted_.insert(cleaned.done.begin(), cleaned.done.end());
}

// Without groups that are set aside: nothing is done in those.
Backlog Compactor::BacklogOf(std::vector<Group> groups, const std::set<Ulid>& excluded) const {
  std::erase_if(groups, [&](const Group& group) { return parts_.quarantine.Holds(group.key); });
  return PlannedBacklog(parts_.planner.options().ranges, std::move(groups), excluded);
}

Status Compactor::MeasureBacklog(const Cancel& cancel) {
  GN_ASSIGN(std::shared_ptr<const BucketState> state, Sync(cancel));
  const Backlog backlog = BacklogOf(GroupBlocks(state->metas), state->Excluded(parts_.quarantine));
  parts_.metrics.todo_compactions.Set(static_cast<double>(backlog.compactions));
  parts_.metrics.todo_compaction_blocks.Set(static_cast<double>(backlog.compaction_blocks));
  int64_t expired = 0;
  const int64_t now_ms = parts_.clock.NowMs();
  for (const auto& [id, meta] : state->metas) {
    auto retention = options_.retention.find(meta->thanos.resolution_ms);
    if (retention == options_.retention.end() || retention->second.count() == 0) continue;
    if (now_ms > meta->block.maxt_ms / 1000 * 1000 + retention->second.count()) ++expired;
  }
  parts_.metrics.todo_deletion_blocks.Set(static_cast<double>(expired));
  if (parts_.metrics.todo_downsample_blocks != nullptr) {
    blocks::MetaMap metas = state->metas;
    std::erase_if(metas, [&](const auto& entry) { return state->no_downsample.contains(entry.first); });
    parts_.metrics.todo_downsample_blocks->Set(static_cast<double>(DueDownsampling(metas).size()));
  }
  return Status();
}

}  // namespace gauntlet::compactor
