// Repair: what a person, or --compact.auto-repair, does about blocks in quarantine. The blocks that are replaced or
// given up are marked for deletion: they stay for the delete delay.
//
// Upstream: thanos tools bucket verify --repair (the smaller part of it)
// Threads:  one thread at a time.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancel.h"
#include "base/status.h"
#include "compactor/merge_job.h"
#include "compactor/quarantine.h"

namespace gauntlet::compactor {

enum class RepairAction : uint8_t {
  kMerge,    // blocks of one group become one
  kKeepOne,  // of some blocks, one stays
  kSort,     // a block's chunks are put in order, merged where they overlap
  kSalvage,  // a block without the chunks that do not read
  kDrop,     // a block is given up
  kRelease,  // the mark goes, nothing else changes
};
std::optional<RepairAction> ParseRepairAction(std::string_view text);

struct RepairRequest {
  RepairAction action = RepairAction::kRelease;
  std::vector<Ulid> ids;
  std::optional<Ulid> keep;  // of kKeepOne
  std::string subject;       // of kRelease: a group; "" = the blocks
};

class Repairer {
 public:
  // `metas`: all blocks of the bucket; `quarantine`: loaded, and that of the jobs.
  Repairer(const blocks::MetaMap& metas, MergeJobs& jobs, Quarantine& quarantine)
      : metas_(metas), jobs_(jobs), quarantine_(quarantine) {}

  // What was done, in a sentence.
  Result<std::string> Run(const RepairRequest& request, const Cancel& cancel);

 private:
  Result<BlockList> Find(const std::vector<Ulid>& ids, size_t min) const;
  Result<std::string> Merge(const BlockList& blocks, const Cancel& cancel);
  Result<std::string> Sort(const BlockList& blocks, const Cancel& cancel);
  Result<std::string> KeepOne(const BlockList& blocks, const Ulid& keep, const Cancel& cancel);
  Result<std::string> Salvage(const BlockList& blocks, const Cancel& cancel);
  Result<std::string> Drop(const std::vector<Ulid>& ids, const Cancel& cancel);
  // Marks for deletion what is replaced or given up, and lifts its quarantine.
  Status Retire(const Ulid& id, const std::string& details, const Cancel& cancel);
  Status Release(const BlockList& blocks, const Cancel& cancel);

  const blocks::MetaMap& metas_;
  MergeJobs& jobs_;
  Quarantine& quarantine_;
};

// A group of these blocks only; kInvalid when they are of several origins or resolutions.
Result<Group> GroupOf(const BlockList& blocks);

}  // namespace gauntlet::compactor
