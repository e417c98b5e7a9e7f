// Replicas of a series as lists of chunks: copies dropped before anything is decoded, overlaps parted.
//
// Stores that remove replica labels hand over the chunks of all replicas as one series. Chunks that overlap in time
// cannot come from one replica; they are dealt out to lists whose chunks do not.
//
// Upstream: thanos pkg/dedup/iter.go (NewOverlapSplit), pkg/store/storepb (chunk deduplication)

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

// The indices of the chunks, dealt out to replicas. REQUIRES: sorted by mint.
std::vector<std::vector<uint32_t>> SplitReplicas(std::span<const tsdb::SeriesChunk> chunks, SplitRule rule);

}  // namespace gauntlet::dedup
