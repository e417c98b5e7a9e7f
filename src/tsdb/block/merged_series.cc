#include "tsdb/block/merged_series.h"

#include <algorithm>
#include <utility>

#include "storage/merge.h"

namespace gauntlet::tsdb {

bool MergedEntry::disjoint() const {
  for (size_t i = 1; i < parts.size(); ++i) {
    if (chunks[parts[i].begin].mint_ms <= chunks[parts[i - 1].end - 1].maxt_ms) return false;
  }
  return true;
}

Result<std::unique_ptr<MergedSeries>> MergedSeries::Select(std::shared_ptr<const BlockList> blocks,
                                                           std::span<const Matcher> matchers, int64_t mint_ms,
                                                           int64_t maxt_ms, const Cancel& cancel) {
  std::unique_ptr<MergedSeries> merged(new MergedSeries());
  merged->cancel_ = cancel;
  for (const BlockPtr& block : *blocks) {
    if (!block->Overlaps(mint_ms, maxt_ms)) continue;
    GN_TRY(cancel.status());
    GN_ASSIGN(PostingsCursorPtr selected, block->Select(matchers, cancel));
    auto walk = std::make_unique<BlockSeries>(*block, std::move(selected), mint_ms, maxt_ms);
    GN_ASSIGN(bool more, walk->Next());
    if (!more) continue;
    merged->of_walk_.push_back(block.get());
    merged->walks_.push_back(std::move(walk));
  }
  merged->ended_.resize(merged->walks_.size());
  merged->blocks_ = std::move(blocks);
  MergedSeries* self = merged.get();
  if (!self->walks_.empty()) {
    self->tree_.Start(self->walks_.size(), [self](size_t a, size_t b) { return self->Before(a, b); });
  }
  return merged;
}

bool MergedSeries::Before(size_t a, size_t b) const {
  if (ended_[a] || ended_[b]) return ended_[a] == ended_[b] ? a < b : !ended_[a];
  int order = CompareLabels(walks_[a]->labels(), walks_[b]->labels());
  return order != 0 ? order < 0 : a < b;
}

Result<bool> MergedSeries::Next(MergedEntry* out) {
  if (++seen_ % 256 == 0) GN_TRY(cancel_.status());
  out->chunks.clear();
  out->parts.clear();
  while (!walks_.empty() && !ended_[tree_.winner()]) {
    size_t first = tree_.winner();
    BlockSeries& walk = *walks_[first];
    if (out->parts.empty()) {
      out->packed_labels.assign(walk.labels().packed());
    } else if (walk.labels().packed() != out->packed_labels) {
      break;
    }
    auto begin = static_cast<uint32_t>(out->chunks.size());
    out->chunks.insert(out->chunks.end(), walk.chunks().begin(), walk.chunks().end());
    out->parts.push_back({of_walk_[first], walk.id(), begin, static_cast<uint32_t>(out->chunks.size())});
    GN_ASSIGN(bool more, walk.Next());
    ended_[first] = !more;
    if (walks_.size() > 1) tree_.Replay([this](size_t a, size_t b) { return Before(a, b); });
  }
  std::stable_sort(out->parts.begin(), out->parts.end(), [out](const SeriesPart& a, const SeriesPart& b) {
    return out->chunks[a.begin].mint_ms < out->chunks[b.begin].mint_ms;
  });
  return !out->parts.empty();
}

Status ReadMerged(const MergedEntry& entry, int64_t mint_ms, int64_t maxt_ms, Samples* out) {
  if (entry.disjoint()) {
    for (const SeriesPart& part : entry.parts) {
      GN_TRY(ReadSamples(*part.block, entry.chunks_of(part), part.deleted(), mint_ms, maxt_ms, out));
    }
    return Status();
  }
  std::vector<Samples> parts(entry.parts.size());
  for (size_t i = 0; i < parts.size(); ++i) {
    const SeriesPart& part = entry.parts[i];
    GN_TRY(ReadSamples(*part.block, entry.chunks_of(part), part.deleted(), mint_ms, maxt_ms, &parts[i]));
  }
  storage::ChainSamples(parts, out);
  return Status();
}

}  // namespace gauntlet::tsdb
