// Planner: which blocks of a group are to become one, decided by their metas alone.
//
// Overlapping blocks first; else windows of the leveled ranges (2h, 8h, 2d, 14d), the smallest first; else a big block
// with many deletions. Excluded blocks cut a window into runs, so that no result ever spans one of them.
//
// Upstream: thanos pkg/compact/planner.go, prometheus tsdb/compact.go (LeveledCompactor.plan)
// Threads:  immutable; the callback decides for Plan.

#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "base/status.h"
#include "compactor/group.h"

namespace gauntlet::compactor {

// The spans of levels 0 to `max_level` (0=1h, 1=2h, 2=8h, 3=48h, 4=336h). kInvalid for another level.
Result<std::vector<int64_t>> CompactionRanges(int max_level);
inline constexpr int kCompactionLevelMax = 4;

struct Plan {
  enum class Reason : uint8_t { kNothing, kOverlap, kWindow, kDeletions };
  Reason reason = Reason::kNothing;
  BlockList blocks;  // by time; empty for kNothing
};

// The next merge in `blocks`, of which those in `excluded` do not take part. REQUIRES: sorted by time; ranges ascend.
Plan PlanMerge(const std::vector<int64_t>& ranges, const BlockList& blocks, const std::set<Ulid>& excluded);

// A block that a planner leaves out from now on: it wants a no-compact mark.
struct Exclusion {
  Ulid id;
  std::string reason, details;
};

struct PlannerOptions {
  std::vector<int64_t> ranges;
  int64_t index_bytes_max = int64_t{64} << 30;  // of a result; 0 = no limit
  bool vertical = false;                        // overlaps of raw blocks are merged
};

class Planner {
 public:
  // The size of a block's index when its meta does not say it.
  using IndexBytes = std::function<Result<int64_t>(const blocks::Meta&)>;
  Planner(PlannerOptions options, IndexBytes index_bytes)
      : options_(std::move(options)), index_bytes_(std::move(index_bytes)) {}

  const PlannerOptions& options() const { return options_; }

  // As PlanMerge, and no result whose index could exceed its limit, and no merge of overlapping downsampled blocks: who
  // would be responsible is added to `exclusions` (and left out).
  Result<Plan> Next(const BlockList& blocks, std::set<Ulid> excluded, std::vector<Exclusion>* exclusions) const;

 private:
  // The block to leave out, or null.
  Result<const blocks::Meta*> TooMuchIndex(const BlockList& plan) const;

  const PlannerOptions options_;
  const IndexBytes index_bytes_;
};

}  // namespace gauntlet::compactor
