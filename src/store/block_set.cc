#include "store/block_set.h"

#include <algorithm>
#include <utility>

namespace gauntlet::store {

void BlockSet::Add(BucketBlockPtr block) {
  int64_t resolution = block->facts().resolution_ms;
  auto level =
      std::find_if(levels_.begin(), levels_.end(), [&](const Level& l) { return l.resolution_ms <= resolution; });
  if (level == levels_.end() || level->resolution_ms != resolution) level = levels_.insert(level, {resolution, {}});
  level->blocks.push_back(std::move(block));
}

void BlockSet::Sort() {
  for (Level& level : levels_) {
    std::sort(level.blocks.begin(), level.blocks.end(), [](const BucketBlockPtr& a, const BucketBlockPtr& b) {
      const BlockFacts &x = a->facts(), &y = b->facts();
      if (x.mint_ms != y.mint_ms) return x.mint_ms < y.mint_ms;
      if (x.maxt_ms != y.maxt_ms) return x.maxt_ms < y.maxt_ms;
      return x.ulid < y.ulid;
    });
  }
}

void BlockSet::Choose(int64_t mint_ms, int64_t maxt_ms, int64_t max_resolution_ms,
                      std::vector<BucketBlockPtr>* out) const {
  size_t level = 0;
  while (level < levels_.size() && levels_[level].resolution_ms > max_resolution_ms) ++level;
  ChooseFrom(level, mint_ms, maxt_ms, out);
}

void BlockSet::ChooseAll(int64_t mint_ms, int64_t maxt_ms, std::vector<BucketBlockPtr>* out) const {
  for (const Level& level : levels_) {
    for (const BucketBlockPtr& block : level.blocks) {
      if (block->Overlaps(mint_ms, maxt_ms)) out->push_back(block);
    }
  }
}

void BlockSet::ChooseFrom(size_t level, int64_t mint_ms, int64_t maxt_ms, std::vector<BucketBlockPtr>* out) const {
  if (level >= levels_.size() || mint_ms > maxt_ms) return;
  int64_t covered = mint_ms;  // times before it are answered
  for (const BucketBlockPtr& block : levels_[level].blocks) {
    if (block->facts().maxt_ms <= mint_ms) continue;
    if (block->facts().mint_ms > maxt_ms) break;
    ChooseFrom(level + 1, covered, block->facts().mint_ms - 1, out);
    out->push_back(block);
    covered = std::max(covered, block->facts().maxt_ms);
  }
  ChooseFrom(level + 1, covered, maxt_ms, out);
}

}  // namespace gauntlet::store
