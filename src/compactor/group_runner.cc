#include "compactor/group_runner.h"

#include <algorithm>
#include <chrono>

#include "blocks/block_objects.h"
#include "blocks/markers.h"
#include "compactor/checked_source.h"
#include "compactor/repair_advice.h"

namespace gauntlet::compactor {
namespace {

// Marks are set to their end also while stopping.
constexpr std::chrono::minutes kMarkWithin{5};

bool Has(const BlockList& blocks, const Ulid& id) {
  return std::any_of(blocks.begin(), blocks.end(), [&](const blocks::MetaPtr& meta) { return meta->block.ulid == id; });
}

std::vector<Ulid> IdsOf(const BlockList& blocks) {
  std::vector<Ulid> ids;
  for (const blocks::MetaPtr& meta : blocks) ids.push_back(meta->block.ulid);
  return ids;
}

int64_t BytesOf(const BlockList& blocks) {
  int64_t bytes = 0;
  for (const blocks::MetaPtr& meta : blocks) bytes += SizeOf(*meta);
  return bytes;
}

}  // namespace

GroupRunner::GroupRunner(RunnerOptions options, const Planner& planner, MergeJobs& jobs, objstore::Bucket& bucket,
                         Quarantine& quarantine, Leases* leases, CompactMetrics& metrics, Progress& progress,
                         telemetry::Logger& logger, Clock& clock)
    : options_(options),
      planner_(planner),
      jobs_(jobs),
      bucket_(bucket),
      quarantine_(quarantine),
      leases_(leases),
      metrics_(metrics),
      progress_(progress),
      logger_(logger),
      clock_(clock) {}

Result<RunOutcome> GroupRunner::Run(Group* group, std::set<Ulid> excluded, const Cancel& cancel) {
  const std::string resolution = group->ResolutionText();
  metrics_.Touch(resolution);
  metrics_.runs_started.With({resolution}).Add();
  if (!quarantine_.Holds(group->key) && PlanMerge(planner_.options().ranges, group->blocks, excluded).blocks.empty()) {
    metrics_.runs_completed.With({resolution}).Add();
    return RunOutcome();
  }
  std::unique_ptr<Lease> lease;
  if (leases_ != nullptr) {
    GN_ASSIGN(lease, leases_->Take(group->key, cancel));
    if (lease == nullptr) {
      GN_LOG(logger_, kInfo, "another compactor works on the group", {"group", group->Name()});
      return RunOutcome{.skipped = true};
    }
  }
  Result<RunOutcome> outcome = RunWithLease(group, &excluded, cancel);
  if (!outcome.ok()) {
    metrics_.failures.With({resolution}).Add();
    return outcome.status().Wrap("group " + group->key);
  }
  if (!quarantine_.Holds(group->key)) metrics_.runs_completed.With({resolution}).Add();
  return outcome;
}

Result<RunOutcome> GroupRunner::RunWithLease(Group* group, std::set<Ulid>* excluded, const Cancel& cancel) {
  RunOutcome outcome;
  while (true) {
    GN_TRY(cancel.status());
    bool set = false;
    GN_ASSIGN(bool may_plan, CheckOverlaps(*group, *excluded, &set, cancel));
    outcome.set_aside += set ? 1 : 0;
    if (!may_plan) return outcome;
    GN_ASSIGN(Step step, RunOne(group, excluded, cancel));
    if (step == Step::kDone) return outcome;
    ++(step == Step::kMerged ? outcome.merged : outcome.set_aside);
    if (group->blocks.size() < 2) return outcome;
  }
}

Result<bool> GroupRunner::CheckOverlaps(const Group& group, const std::set<Ulid>& excluded, bool* set,
                                        const Cancel& cancel) {
  BlockList included;
  for (const blocks::MetaPtr& meta : group.blocks) {
    if (!excluded.contains(meta->block.ulid)) included.push_back(meta);
  }
  BlockList overlap;
  if (!options_.vertical && !options_.auto_repair) overlap = FirstOverlap(included);
  const auto marks = quarantine_.marks();
  auto held = marks.find(group.key);
  if (held != marks.end()) {
    // What it was about may have been changed by somebody.
    const QuarantineMark& mark = held->second;
    const bool changed =
        std::any_of(mark.blocks.begin(), mark.blocks.end(), [&](const Ulid& id) { return !Has(included, id); });
    if (!overlap.empty() || (mark.reason != kOverlapReason && !changed)) return false;
    GN_TRY(quarantine_.Lift(group.key, cancel));
  }
  if (overlap.empty()) return true;
  QuarantineMark mark;
  mark.subject = group.key;
  mark.group = group.Name();
  mark.blocks = IdsOf(overlap);
  mark.reason = kOverlapReason;
  mark.details = "blocks cover the same time:";
  for (const blocks::MetaPtr& meta : overlap) mark.details += " " + compactor::Describe(*meta);
  mark.repair = AdviceFor(mark);
  mark.time_s = clock_.NowMs() / 1000;
  GN_ASSIGN(*set, quarantine_.Put(mark, cancel));
  metrics_.failures.With({group.ResolutionText()}).Add();
  return false;
}

Result<GroupRunner::Step> GroupRunner::RunOne(Group* group, std::set<Ulid>* excluded, const Cancel& cancel) {
  std::vector<Exclusion> exclusions;
  Result<Plan> plan = planner_.Next(group->blocks, *excluded, &exclusions);
  if (!plan.ok()) {
    if (IsPassing(plan.status())) return plan.status().Wrap("plan compaction");
    // A block without an index object, most likely: the merge would find it; here only its size was asked for.
    return Status(Code::kUnavailable, std::string(plan.status().message())).Wrap("plan compaction");
  }
  for (const Exclusion& exclusion : exclusions) {
    GN_TRY(MarkNoCompact(exclusion.id, exclusion.reason, exclusion.details, cancel));
    excluded->insert(exclusion.id);
  }
  if (plan->blocks.empty()) return Step::kDone;
  GN_LOG(logger_, kInfo, "compaction available and planned", {"group", group->Name()}, {"groupKey", group->key},
         {"plan", DescribeIds(plan->blocks)});
  GN_TRY(CheckNotMarked(plan->blocks, cancel));
  return Merge(group, *plan, excluded, cancel);
}

Status GroupRunner::CheckNotMarked(const BlockList& sources, const Cancel& cancel) {
  for (const blocks::MetaPtr& meta : sources) {
    const std::string id = meta->block.ulid.ToString();
    GN_ASSIGN(bool marked, bucket_.Exists(id + "/" + blocks::kDeletionMarkFile, cancel));
    if (marked) return {Code::kUnavailable, "block " + id + " was marked for deletion by somebody else meanwhile"};
  }
  return Status();
}

Result<GroupRunner::Step> GroupRunner::Merge(Group* group, const Plan& plan, std::set<Ulid>* excluded,
                                             const Cancel& cancel) {
  const auto begun = clock_.Now();
  const int64_t bytes = BytesOf(plan.blocks);
  uint64_t series = 1;
  for (const blocks::MetaPtr& meta : plan.blocks) series = std::max(series, meta->block.stats.series);
  MergeRequest request;
  request.group = group;
  request.sources = plan.blocks;
  request.covers_sources = plan.blocks.size() == 1;  // a rewrite has no other sources than the block itself
  request.on_progress = [&](uint64_t done) {
    progress_.Within(static_cast<int64_t>(static_cast<double>(bytes) *
                                          std::min(1.0, static_cast<double>(done) / static_cast<double>(series))));
  };
  tsdb::BlockFault fault;
  Result<MergeResult> result = jobs_.Run(request, cancel, &fault);
  if (!result.ok()) return SetAside(group, plan, result.status(), fault, excluded, cancel);
  progress_.Add(bytes);
  if (result->made == nullptr) {
    // Nothing is left of blocks without samples, or with deletions; of others there should be.
    for (const blocks::MetaPtr& meta : plan.blocks) {
      if (meta->block.stats.samples == 0 || meta->block.stats.tombstones > 0) continue;
      return SetAside(group, plan,
                      Status(Code::kCorrupt, "block " + meta->block.ulid.ToString() + " should have " +
                                                 std::to_string(meta->block.stats.samples) +
                                                 " samples, and none was found in the times that it covers"),
                      fault, excluded, cancel);
    }
    GN_LOG(logger_, kInfo, "no compacted block, deleting source blocks", {"blocks", DescribeIds(plan.blocks)});
  } else if (!result->was_there) {
    metrics_.compactions.With({group->ResolutionText()}).Add();
    if (plan.reason == Plan::Reason::kOverlap) metrics_.vertical_compactions.With({group->ResolutionText()}).Add();
  }
  GN_TRY(MarkReplaced(group, plan.blocks, result->made, "source of compacted block", cancel));
  GN_LOG(logger_, kInfo, "compacted blocks", {"group", group->Name()}, {"groupKey", group->key},
         {"result_block", result->made == nullptr ? "" : result->made->block.ulid.ToString()},
         {"was_there", result->was_there}, {"overlapping_blocks", plan.reason == Plan::Reason::kOverlap},
         {"source_blocks", DescribeIds(plan.blocks)},
         {"duration_ms", std::chrono::duration_cast<std::chrono::milliseconds>(clock_.Now() - begun).count()});
  return Step::kMerged;
}

Result<GroupRunner::Step> GroupRunner::SetAside(Group* group, const Plan& plan, const Status& why,
                                                const tsdb::BlockFault& fault, std::set<Ulid>* excluded,
                                                const Cancel& cancel) {
  if (IsPassing(why)) return why;
  GN_TRY(cancel.status());
  // A source that went away meanwhile is nobody's fault.
  for (const blocks::MetaPtr& meta : plan.blocks) {
    const std::string id = meta->block.ulid.ToString();
    GN_ASSIGN(bool there, bucket_.Exists(id + "/" + tsdb::kMetaFile, cancel));
    if (!there) return Status(Code::kUnavailable, "block " + id + " went away: " + std::string(why.message()));
  }
  metrics_.failures.With({group->ResolutionText()}).Add();
  const bool blamed = fault.kind != tsdb::FaultKind::kNone && Has(plan.blocks, fault.block);
  if (blamed && fault.kind == tsdb::FaultKind::kChunkOrder && options_.skip_unordered_chunks) {
    GN_TRY(MarkNoCompact(fault.block, blocks::kOutOfOrderChunksReason, std::string(why.message()), cancel));
    excluded->insert(fault.block);
    return Step::kSetAside;
  }
  if (blamed && fault.kind == tsdb::FaultKind::kChunkOrder && options_.auto_repair) {
    auto block = std::find_if(plan.blocks.begin(), plan.blocks.end(),
                              [&](const blocks::MetaPtr& meta) { return meta->block.ulid == fault.block; });
    Status sorted = Sort(group, *block, cancel);
    if (sorted.ok()) return Step::kMerged;
    if (IsPassing(sorted)) return sorted;
    GN_LOG(logger_, kWarn, "a block could not be repaired", {"block", fault.block.ToString()}, {"err", sorted});
  }
  QuarantineMark mark;
  mark.group = group->Name();
  mark.details = why.message();
  mark.time_s = clock_.NowMs() / 1000;
  if (blamed) {
    mark.subject = fault.block.ToString();
    mark.blocks = {fault.block};
    mark.reason = why.message().find(kOutsideText) == std::string_view::npos ? ReasonOf(fault.kind) : kOutsideReason;
    mark.series = fault.series;
    excluded->insert(fault.block);
  } else {
    mark.subject = group->key;
    mark.blocks = IdsOf(plan.blocks);
    mark.reason = kMergeReason;
  }
  mark.repair = AdviceFor(mark);
  GN_TRY(quarantine_.Put(mark, cancel).status());
  return Step::kSetAside;
}

Status GroupRunner::Sort(Group* group, const blocks::MetaPtr& block, const Cancel& cancel) {
  MergeRequest request;
  request.group = group;
  request.sources = {block};
  request.accept_unordered_chunks = true;
  request.source = blocks::kCompactorRepairSource;
  request.covers_sources = true;
  tsdb::BlockFault fault;
  GN_ASSIGN(MergeResult result, jobs_.Run(request, cancel, &fault));
  GN_LOG(logger_, kInfo, "repaired a block: its chunks are in order", {"block", block->block.ulid.ToString()},
         {"made", result.made == nullptr ? "" : result.made->block.ulid.ToString()});
  return MarkReplaced(group, {block}, result.made, "source of repaired block", cancel);
}

Status GroupRunner::MarkReplaced(Group* group, const BlockList& sources, const blocks::MetaPtr& made,
                                 const char* details, const Cancel&) {
  CancelSource limit(Cancel(), kMarkWithin);
  for (const blocks::MetaPtr& meta : sources) {
    const Ulid id = meta->block.ulid;
    blocks::Marker mark{id, details, clock_.NowMs() / 1000, ""};
    Result<bool> set = blocks::SetMarker(bucket_, blocks::MarkerKind::kDeletion, mark, limit.cancel());
    if (!set.ok()) return set.status().Wrap("mark block " + id.ToString() + " for deletion");
    if (*set) metrics_.Marked(blocks::kDeletionMarkFile, "");
    metrics_.garbage_collected_blocks.Add();
    std::erase(group->blocks, meta);
  }
  if (made != nullptr) {
    group->blocks.push_back(made);
    SortByTime(&group->blocks);
  }
  return Status();
}

Status GroupRunner::MarkNoCompact(const Ulid& id, const std::string& reason, const std::string& details,
                                  const Cancel& cancel) {
  blocks::Marker mark{id, details, clock_.NowMs() / 1000, reason};
  Result<bool> set = blocks::SetMarker(bucket_, blocks::MarkerKind::kNoCompact, mark, cancel);
  if (!set.ok()) return set.status().Wrap("mark block " + id.ToString() + " for no compaction");
  if (*set) metrics_.Marked(blocks::kNoCompactMarkFile, reason);
  GN_LOG(logger_, kWarn, "block marked for no compaction", {"block", id.ToString()}, {"reason", reason},
         {"details", details});
  return Status();
}

}  // namespace gauntlet::compactor
