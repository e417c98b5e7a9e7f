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

void ReplicaLists::Add(std::span<const SeriesChunk> chunks) {
  chunks_.insert(chunks_.end(), chunks.begin(), chunks.end());
  ends_.push_back(chunks_.size());
}

void ReplicaLists::AddSplit(std::span<const SeriesChunk> chunks, SplitRule rule) {
  last_times_.clear();
  replica_of_.clear();
  places_.clear();  // first how many chunks each has
  for (const SeriesChunk& chunk : chunks) {
    size_t to = rule == SplitRule::kFirstFit ? FirstFit(last_times_, chunk.mint_ms) : BestPhase(last_times_, chunk);
    if (to == kNone) {
      to = last_times_.size();
      last_times_.push_back(0);
      places_.push_back(0);
    }
    replica_of_.push_back(to);
    last_times_[to] = chunk.maxt_ms;
    ++places_[to];
  }
  size_t end = chunks_.size();
  for (size_t& place : places_) {
    size_t begin = end;
    end += place;
    place = begin;
    ends_.push_back(end);
  }
  chunks_.resize(end);
  for (size_t i = 0; i < chunks.size(); ++i) chunks_[places_[replica_of_[i]]++] = chunks[i];
}

}  // namespace gauntlet::dedup
