#include "tsdb/compact/compacted_meta.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "base/check.h"
#include "io/sha256.h"

namespace gauntlet::tsdb {
namespace {

constexpr std::string_view kFromOutOfOrder = "from-out-of-order";
constexpr std::string_view kFromStaleSeries = "from-stale-series", kFromSelectedSeries = "from-selected-series";

bool HasHint(const BlockMeta& meta, std::string_view hint) {
  const auto& hints = meta.compaction.hints;
  return std::find(hints.begin(), hints.end(), hint) != hints.end();
}

}  // namespace

BlockMeta CompactedMeta(std::span<const BlockMeta* const> blocks, const Ulid& ulid) {
  GN_CHECK(!blocks.empty());
  BlockMeta meta;
  meta.ulid = ulid;
  meta.mint_ms = blocks[0]->mint_ms;
  meta.maxt_ms = blocks[0]->maxt_ms;
  meta.compaction.level = 0;
  std::set<Ulid> sources;
  for (const BlockMeta* block : blocks) {
    meta.mint_ms = std::min(meta.mint_ms, block->mint_ms);
    meta.maxt_ms = std::max(meta.maxt_ms, block->maxt_ms);
    meta.compaction.level = std::max(meta.compaction.level, block->compaction.level);
    sources.insert(block->compaction.sources.begin(), block->compaction.sources.end());
    meta.compaction.parents.push_back({block->ulid, block->mint_ms, block->maxt_ms});
  }
  ++meta.compaction.level;
  meta.compaction.sources.assign(sources.begin(), sources.end());
  // The whole is out of order only where all parts are; the other two say what may be missing, so one is enough.
  auto with = [&](std::string_view hint) {
    return std::count_if(blocks.begin(), blocks.end(), [&](const BlockMeta* block) { return HasHint(*block, hint); });
  };
  if (with(kFromOutOfOrder) == std::ssize(blocks)) meta.compaction.hints.emplace_back(kFromOutOfOrder);
  if (with(kFromSelectedSeries) > 0) meta.compaction.hints.emplace_back(kFromSelectedSeries);
  if (with(kFromStaleSeries) > 0) meta.compaction.hints.emplace_back(kFromStaleSeries);
  return meta;
}

Ulid OutputUlid(std::span<const Ulid> blocks, std::string_view parameters, uint32_t salt) {
  GN_CHECK(!blocks.empty());
  std::vector<Ulid> sorted(blocks.begin(), blocks.end());
  std::sort(sorted.begin(), sorted.end());
  std::string text;
  for (const Ulid& block : sorted) text.append(reinterpret_cast<const char*>(block.bytes.data()), block.bytes.size());
  text.append(parameters).append(1, '\0').append(std::to_string(salt));
  io::Sha256Digest digest = io::Sha256(text);
  Ulid ulid = sorted.back();  // ids sort by time
  std::copy_n(digest.begin(), 10, ulid.bytes.begin() + 6);
  return ulid;
}

}  // namespace gauntlet::tsdb
