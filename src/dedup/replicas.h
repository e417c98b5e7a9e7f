// Replicas of a series as lists of chunks: copies dropped before anything is decoded, overlaps parted.
//
// Stores that remove replica labels hand over the chunks of all replicas as one series. Chunks that overlap in time
// cannot come from one replica; they are dealt out to lists whose chunks do not.
//
// Upstream: thanos pkg/dedup/iter.go (NewOverlapSplit), pkg/store/storepb (chunk deduplication)
// Threads:  one thread at a time.

#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tsdb/chunkenc/aggr_chunk.h"

namespace gauntlet::dedup {

// Sorts by time and drops chunks of which an equal one is there: same times, same bytes.
void SortAndDropCopies(std::vector<tsdb::SeriesChunk>* chunks);

enum class SplitRule {
  kFirstFit,  // upstream's: to the first list that ends before the chunk begins
  kByPhase,   // to the list that the chunk continues best by its scrape times, so that lists are true replicas
};

// The chunks of one series, replica by replica, each in order of time. Reused for many series, so that its buffers are
// allocated once. One thread at a time.
class ReplicaLists {
 public:
  size_t size() const { return ends_.size(); }
  std::span<const tsdb::SeriesChunk> operator[](size_t replica) const {
    size_t begin = replica == 0 ? 0 : ends_[replica - 1];
    return std::span(chunks_).subspan(begin, ends_[replica] - begin);
  }
  void Clear() {
    chunks_.clear();
    ends_.clear();
  }
  // Adds chunks that are those of one replica.
  void Add(std::span<const tsdb::SeriesChunk> chunks);
  // Deals chunks out to as many new replicas as it takes for none to overlap. REQUIRES: sorted by mint.
  void AddSplit(std::span<const tsdb::SeriesChunk> chunks, SplitRule rule);

 private:
  std::vector<tsdb::SeriesChunk> chunks_;
  std::vector<size_t> ends_;  // in chunks_, by replica
  // Of the split going on: the replica of each chunk; where the last chunk of each replica ends; its next place.
  std::vector<size_t> replica_of_;
  std::vector<int64_t> last_times_;
  std::vector<size_t> places_;
};

}  // namespace gauntlet::dedup
