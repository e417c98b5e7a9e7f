// Merging of overlapping chunks of downsampled blocks: each aggregate by itself, cut where the count is cut.
//
// Upstream: thanos pkg/dedup/chunk_iter.go (aggrChunkIterator)
// Threads:  a free function.

#pragma once

#include <span>
#include <vector>

#include "base/status.h"
#include "tsdb/chunkenc/chunk.h"
#include "tsdb/chunkenc/transcode.h"

namespace gauntlet::tsdb {

// The group, its first chunk in front. `chain`: the union; else with the penalty. kUnsupported where aggregates are
// histograms or a chunk is not one of aggregates.
Status MergeAggregates(std::span<const ChunkView> group, bool chain, std::vector<EncodedChunk>* out);

}  // namespace gauntlet::tsdb
