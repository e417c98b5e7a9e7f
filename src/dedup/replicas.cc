#include "dedup/replicas.h"

#include <algorithm>
#include <cstdlib>

namespace gauntlet::dedup {
namespace {

using tsdb::SeriesChunk;

// Copies come to stand side by side: by time, then by content.
bool Before(const SeriesChunk& a, const SeriesChunk& b) {
  if (a.mint_ms != b.mint_ms) return a.mint_ms < b.mint_ms;
  if (a.maxt_ms != b.maxt_ms) return a.maxt_ms < b.maxt_ms;
  if (a.raw.bytes != b.raw.bytes) return a.raw.bytes < b.raw.bytes;
  return std::ranges::lexicographical_compare(a.aggregates.parts, b.aggregates.parts, {}, &tsdb::ChunkView::bytes,
                                              &tsdb::ChunkView::bytes);
}

// The time between two samples of the chunk, by its header; 0 when it has only one.
int64_t Interval(const SeriesChunk& chunk) {
  auto samples = tsdb::SampleCount(chunk.has_raw() ? chunk.raw : chunk.aggregates[tsdb::Aggregate::kCount]);
  return samples > 1 ? (chunk.maxt_ms - chunk.mint_ms) / (samples - 1) : 0;
}

constexpr size_t kNone = SIZE_MAX;

size_t FirstFit(std::span<const int64_t> ends, int64_t mint) {
  for (size_t i = 0; i < ends.size(); ++i) {
    if (ends[i] < mint) return i;
  }
  return kNone;
}

// A chunk of the same replica begins one interval after the last one ended; others begin at any phase.
size_t BestPhase(std::span<const int64_t> ends, const SeriesChunk& chunk) {
  size_t best = kNone;
  int64_t best_error = 0, interval = Interval(chunk);
  for (size_t i = 0; i < ends.size(); ++i) {
    if (ends[i] >= chunk.mint_ms) continue;
    int64_t error = std::abs(chunk.mint_ms - ends[i] - interval);
    if (best == kNone || error < best_error) {
      best = i;
      best_error = error;
    }
  }
  return best;
}

}  // namespace

void SortAndDropCopies(std::vector<SeriesChunk>* chunks) {
  if (!std::is_sorted(chunks->begin(), chunks->end(), Before)) {
    std::stable_sort(chunks->begin(), chunks->end(), Before);
  }
  chunks->erase(std::unique(chunks->begin(), chunks->end()), chunks->end());
}

std::vector<std::vector<uint32_t>> SplitReplicas(std::span<const SeriesChunk> chunks, SplitRule rule) {
  std::vector<std::vector<uint32_t>> replicas;
  std::vector<int64_t> ends;  // of each replica's last chunk
  for (size_t i = 0; i < chunks.size(); ++i) {
    size_t to = rule == SplitRule::kFirstFit ? FirstFit(ends, chunks[i].mint_ms) : BestPhase(ends, chunks[i]);
    if (to == kNone) {
      to = replicas.size();
      replicas.emplace_back();
      ends.push_back(0);
    }
    replicas[to].push_back(static_cast<uint32_t>(i));
    ends[to] = chunks[i].maxt_ms;
  }
  return replicas;
}

}  // namespace gauntlet::dedup
