#include "compactor/repair_advice.h"

namespace gauntlet::compactor {
namespace {

constexpr char kCommand[] = "gauntlet tools bucket repair --objstore.config-file=... ";

std::string Command(const std::string& arguments) { return "`" + (kCommand + arguments) + "`"; }

}  // namespace

std::string ReasonOf(tsdb::FaultKind kind) {
  switch (kind) {
    case tsdb::FaultKind::kNone:
      return kMergeReason;
    case tsdb::FaultKind::kIndex:
      return kBrokenIndexReason;
    case tsdb::FaultKind::kSeriesOrder:
      return kLabelOrderReason;
    case tsdb::FaultKind::kChunkOrder:
      return kChunkOrderReason;
    case tsdb::FaultKind::kMissingChunk:
    case tsdb::FaultKind::kChunk:
      return kChunksReason;
  }
  return kMergeReason;
}

std::string AdviceFor(const QuarantineMark& mark) {
  const std::string id = mark.blocks.empty() ? "ID" : mark.blocks.front().ToString();
  if (mark.reason == kOverlapReason) {
    std::string ids;
    for (const Ulid& block : mark.blocks) ids += " --id=" + block.ToString();
    return "merge them: " + Command("--action=merge" + ids) +
           ", or all such with --compact.enable-vertical-compaction (replicas: --deduplication.replica-label); or keep "
           "one of them, and lose what only the others have: " +
           Command("--action=keep-one --keep=" + id + ids);
  }
  if (mark.reason == kChunkOrderReason)
    return "sort its chunks into a new block: " + Command("--action=sort --id=" + id) + ", or --compact.auto-repair";
  if (mark.reason == kChunksReason) {
    return "bring back the missing objects from a backup, then " + Command("--action=release --id=" + id) +
           "; or make a new block without what does not read: " + Command("--action=salvage --id=" + id);
  }
  if (mark.reason == kOutsideReason) {
    return "correct minTime and maxTime in its meta.json so that they hold its chunks, then " +
           Command("--action=release --id=" + id) + "; or give the block up: " + Command("--action=drop --id=" + id);
  }
  if (mark.reason == kBrokenIndexReason || mark.reason == kLabelOrderReason || mark.reason == kBadMetaReason) {
    return "bring back the object from a backup, then " + Command("--action=release --id=" + id) +
           "; or give the block up: " + Command("--action=drop --id=" + id);
  }
  return "look at the error; when its cause is gone: " + Command("--action=release --subject=" + mark.subject);
}

}  // namespace gauntlet::compactor
