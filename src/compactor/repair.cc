#include "compactor/repair.h"

#include <algorithm>

#include "blocks/markers.h"
#include "compactor/salvage.h"

namespace gauntlet::compactor {

std::optional<RepairAction> ParseRepairAction(std::string_view text) {
  if (text == "merge") return RepairAction::kMerge;
  if (text == "keep-one") return RepairAction::kKeepOne;
  if (text == "sort") return RepairAction::kSort;
  if (text == "salvage") return RepairAction::kSalvage;
  if (text == "drop") return RepairAction::kDrop;
  if (text == "release") return RepairAction::kRelease;
  return std::nullopt;
}

Result<Group> GroupOf(const BlockList& blocks) {
  blocks::MetaMap metas;
  for (const blocks::MetaPtr& meta : blocks) metas[meta->block.ulid] = meta;
  std::vector<Group> groups = GroupBlocks(metas);
  if (groups.size() != 1) return Status(Code::kInvalid, "the blocks are of several origins or resolutions");
  return std::move(groups.front());
}

Result<BlockList> Repairer::Find(const std::vector<Ulid>& ids, size_t min) const {
  if (ids.size() < min) return Status(Code::kInvalid, "at least " + std::to_string(min) + " blocks are needed (--id)");
  BlockList blocks;
  for (const Ulid& id : ids) {
    auto found = metas_.find(id);
    if (found == metas_.end()) return Status(Code::kNotFound, "there is no block " + id.ToString());
    blocks.push_back(found->second);
  }
  SortByTime(&blocks);
  blocks.erase(std::unique(blocks.begin(), blocks.end()), blocks.end());
  if (blocks.size() < min) return Status(Code::kInvalid, "the same block is given more than once");
  return blocks;
}

Result<std::string> Repairer::Run(const RepairRequest& request, const Cancel& cancel) {
  switch (request.action) {
    case RepairAction::kMerge: {
      GN_ASSIGN(BlockList blocks, Find(request.ids, 2));
      return Merge(blocks, cancel);
    }
    case RepairAction::kKeepOne: {
      GN_ASSIGN(BlockList blocks, Find(request.ids, 2));
      if (!request.keep.has_value()) return Status(Code::kInvalid, "say which block is kept (--keep)");
      return KeepOne(blocks, *request.keep, cancel);
    }
    case RepairAction::kSort: {
      GN_ASSIGN(BlockList blocks, Find(request.ids, 1));
      return Sort(blocks, cancel);
    }
    case RepairAction::kSalvage: {
      GN_ASSIGN(BlockList blocks, Find(request.ids, 1));
      return Salvage(blocks, cancel);
    }
    case RepairAction::kDrop:
      if (request.ids.empty()) return Status(Code::kInvalid, "say which block is given up (--id)");
      return Drop(request.ids, cancel);
    case RepairAction::kRelease:
      for (const Ulid& id : request.ids) GN_TRY(quarantine_.Lift(id.ToString(), cancel));
      if (!request.subject.empty()) GN_TRY(quarantine_.Lift(request.subject, cancel));
      return std::string("released");
  }
  return Status(Code::kInternal, "no such action");
}

Status Repairer::Retire(const Ulid& id, const std::string& details, const Cancel& cancel) {
  const JobContext& context = jobs_.context();
  blocks::Marker mark{id, details, context.clock.NowMs() / 1000, ""};
  GN_TRY(blocks::SetMarker(context.bucket, blocks::MarkerKind::kDeletion, mark, cancel).status());
  return quarantine_.Lift(id.ToString(), cancel);
}

Status Repairer::Release(const BlockList& blocks, const Cancel& cancel) {
  GN_ASSIGN(Group group, GroupOf(blocks));
  return quarantine_.Lift(group.key, cancel);
}

Result<std::string> Repairer::Merge(const BlockList& blocks, const Cancel& cancel) {
  MergeRequest request;
  GN_ASSIGN(Group group, GroupOf(blocks));
  if (group.resolution_ms != 0) return Status(Code::kUnsupported, "downsampled blocks that overlap are not merged");
  request.group = &group;
  request.sources = blocks;
  request.source = blocks::kCompactorRepairSource;
  tsdb::BlockFault fault;
  GN_ASSIGN(MergeResult result, jobs_.Run(request, cancel, &fault));
  for (const blocks::MetaPtr& meta : blocks) GN_TRY(Retire(meta->block.ulid, "source of compacted block", cancel));
  GN_TRY(quarantine_.Lift(group.key, cancel));
  return "merged into " + (result.made == nullptr ? "nothing: no sample was left" : result.made->block.ulid.ToString());
}

Result<std::string> Repairer::Sort(const BlockList& blocks, const Cancel& cancel) {
  std::string made;
  for (const blocks::MetaPtr& meta : blocks) {
    GN_ASSIGN(Group group, GroupOf({meta}));
    MergeRequest request;
    request.group = &group;
    request.sources = {meta};
    request.accept_unordered_chunks = true;
    request.source = blocks::kCompactorRepairSource;
    request.covers_sources = true;
    tsdb::BlockFault fault;
    GN_ASSIGN(MergeResult result, jobs_.Run(request, cancel, &fault));
    GN_TRY(Retire(meta->block.ulid, "source of repaired block", cancel));
    made += " " + (result.made == nullptr ? "nothing" : result.made->block.ulid.ToString());
  }
  return "sorted into" + made;
}

Result<std::string> Repairer::KeepOne(const BlockList& blocks, const Ulid& keep, const Cancel& cancel) {
  GN_ASSIGN(Group group, GroupOf(blocks));
  const bool known =
      std::any_of(blocks.begin(), blocks.end(), [&](const blocks::MetaPtr& meta) { return meta->block.ulid == keep; });
  if (!known) return Status(Code::kInvalid, "the block to keep is not among those given");
  for (const blocks::MetaPtr& meta : blocks) {
    if (meta->block.ulid != keep) GN_TRY(Retire(meta->block.ulid, "given up for " + keep.ToString(), cancel));
  }
  GN_TRY(quarantine_.Lift(group.key, cancel));
  return "kept " + keep.ToString() + ", marked " + std::to_string(blocks.size() - 1) + " for deletion";
}

Result<std::string> Repairer::Salvage(const BlockList& blocks, const Cancel& cancel) {
  std::string text = "salvaged";
  for (const blocks::MetaPtr& meta : blocks) {
    GN_ASSIGN(SalvageResult result,
              SalvageBlock(jobs_.context(), jobs_.options().output, jobs_.options().work_dir, meta, cancel));
    GN_TRY(Retire(meta->block.ulid, "source of repaired block", cancel));
    text += " " + meta->block.ulid.ToString() + " as " +
            (result.made == nullptr ? "nothing" : result.made->block.ulid.ToString()) + " without " +
            std::to_string(result.lost_chunks) + " chunks of " + std::to_string(result.touched_series) + " series";
  }
  return text;
}

Result<std::string> Repairer::Drop(const std::vector<Ulid>& ids, const Cancel& cancel) {
  for (const Ulid& id : ids) GN_TRY(Retire(id, "given up by repair", cancel));
  return "marked " + std::to_string(ids.size()) + " for deletion";
}

}  // namespace gauntlet::compactor
