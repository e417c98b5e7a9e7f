#include "compactor/planner.h"

#include <algorithm>

#include "blocks/markers.h"

namespace gauntlet::compactor {
namespace {

constexpr int64_t kHourMs = 3'600'000;
constexpr double kDeletionsMax = 0.05;  // of the series
constexpr double kIndexHeadroom = 0.85;

int64_t FloorTo(int64_t t, int64_t step) { return t >= 0 ? t / step * step : (t - step + 1) / step * step; }

// Runs of blocks that lie in one window of the range. A block that does not fit into its window is skipped.
std::vector<BlockList> SplitByRange(const BlockList& blocks, int64_t range) {
  std::vector<BlockList> windows;
  for (size_t i = 0; i < blocks.size();) {
    const int64_t end = FloorTo(blocks[i]->block.mint_ms, range) + range;
    if (blocks[i]->block.maxt_ms > end) {
      ++i;
      continue;
    }
    BlockList& window = windows.emplace_back();
    for (; i < blocks.size() && blocks[i]->block.maxt_ms <= end; ++i) window.push_back(blocks[i]);
  }
  return windows;
}

// The first run of more than one block without an excluded one.
BlockList FirstRun(const BlockList& window, const std::set<Ulid>& excluded) {
  BlockList run;
  for (const blocks::MetaPtr& meta : window) {
    if (!excluded.contains(meta->block.ulid)) {
      run.push_back(meta);
      continue;
    }
    if (run.size() > 1) return run;
    run.clear();
  }
  if (run.size() < 2) run.clear();
  return run;
}

// REQUIRES: the newest block is not among them.
BlockList PlanWindow(const std::vector<int64_t>& ranges, const BlockList& blocks, const std::set<Ulid>& excluded) {
  if (blocks.empty()) return {};
  const int64_t newest_ms = blocks.back()->block.mint_ms;
  for (size_t level = 1; level < ranges.size(); ++level) {
    for (const BlockList& window : SplitByRange(blocks, ranges[level])) {
      const bool failed = std::any_of(window.begin(), window.end(),
                                      [](const blocks::MetaPtr& meta) { return meta->block.compaction.failed; });
      if (failed || window.size() < 2) continue;
      // A window that is not full waits while a block may still come for it.
      const int64_t end_ms = window.back()->block.maxt_ms;
      if (end_ms - window.front()->block.mint_ms != ranges[level] && end_ms > newest_ms) continue;
      if (BlockList run = FirstRun(window, excluded); !run.empty()) return run;
    }
  }
  return {};
}

}  // namespace

Result<std::vector<int64_t>> CompactionRanges(int max_level) {
  const std::vector<int64_t> all = {kHourMs, 2 * kHourMs, 8 * kHourMs, 48 * kHourMs, 336 * kHourMs};
  if (max_level < 0 || max_level > kCompactionLevelMax) {
    return Status(Code::kInvalid,
                  "compaction level " + std::to_string(max_level) + " is none of 0=1h, 1=2h, 2=8h, 3=48h, 4=336h");
  }
  return std::vector<int64_t>(all.begin(), all.begin() + max_level + 1);
}

Plan PlanMerge(const std::vector<int64_t>& ranges, const BlockList& blocks, const std::set<Ulid>& excluded) {
  if (blocks.empty()) return {};
  BlockList included;
  for (const blocks::MetaPtr& meta : blocks) {
    if (!excluded.contains(meta->block.ulid)) included.push_back(meta);
  }
  if (BlockList overlap = FirstOverlap(included); !overlap.empty()) return {Plan::Reason::kOverlap, overlap};

  // The newest block stays as it is: its neighbours may still be on their way.
  if (!included.empty() && included.back() == blocks.back()) included.pop_back();
  const BlockList older(blocks.begin(), blocks.end() - 1);
  if (BlockList window = PlanWindow(ranges, older, excluded); !window.empty()) return {Plan::Reason::kWindow, window};

  for (auto meta = included.rbegin(); meta != included.rend(); ++meta) {
    const tsdb::BlockMeta& block = (*meta)->block;
    if (block.maxt_ms - block.mint_ms < ranges[ranges.size() / 2]) break;
    if (static_cast<double>(block.stats.tombstones) > kDeletionsMax * static_cast<double>(block.stats.series + 1))
      return {Plan::Reason::kDeletions, {*meta}};
  }
  return {};
}

Result<const blocks::Meta*> Planner::TooMuchIndex(const BlockList& plan) const {
  if (options_.index_bytes_max <= 0) return nullptr;
  const auto limit = static_cast<int64_t>(static_cast<double>(options_.index_bytes_max) * kIndexHeadroom);
  int64_t total = 0, biggest = -1;
  const blocks::Meta* largest = nullptr;
  for (const blocks::MetaPtr& meta : plan) {
    int64_t bytes = 0;
    for (const blocks::BlockFile& file : meta->thanos.files) {
      if (file.rel_path == blocks::kIndexFile) bytes = file.bytes;
    }
    if (bytes <= 0) {
      GN_ASSIGN(bytes, index_bytes_(*meta));
    }
    if (bytes > biggest) {
      biggest = bytes;
      largest = meta.get();
    }
    total += bytes;
    if (total >= limit) return largest;
  }
  return nullptr;
}

Result<Plan> Planner::Next(const BlockList& blocks, std::set<Ulid> excluded, std::vector<Exclusion>* exclusions) const {
  auto exclude = [&](const Ulid& id, const char* reason, std::string details) {
    excluded.insert(id);
    exclusions->push_back({id, reason, std::move(details)});
  };
  while (true) {
    Plan plan = PlanMerge(options_.ranges, blocks, excluded);
    GN_ASSIGN(const blocks::Meta* largest, TooMuchIndex(plan.blocks));
    if (largest != nullptr) {
      exclude(largest->block.ulid, blocks::kIndexSizeReason,
              "the index of a block made with this one could exceed " + std::to_string(options_.index_bytes_max) +
                  " bytes (--compact.block-max-index-size)");
      continue;
    }
    if (!options_.vertical || plan.reason != Plan::Reason::kOverlap) return plan;
    bool marked = false;
    for (const blocks::MetaPtr& meta : plan.blocks) {
      if (meta->thanos.resolution_ms == 0) continue;
      exclude(meta->block.ulid, blocks::kDownsampleVerticalReason,
              "a downsampled block that overlaps others cannot be merged with them");
      marked = true;
    }
    if (!marked) return plan;
  }
}

}  // namespace gauntlet::compactor
