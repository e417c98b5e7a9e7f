// Part: what one source has of a series, without what is deleted: chunks in order of time.
//
// Upstream: prometheus tsdb/querier.go (populateWithDelChunkSeriesIterator)
// Threads:  one thread at a time.

#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "base/status.h"
#include "tsdb/block/block_writer.h"
#include "tsdb/chunkenc/transcode.h"
#include "tsdb/compact/fault.h"
#include "tsdb/compact/source.h"

namespace gauntlet::tsdb {

// A chunk on its way into the new block.
struct MergeChunk : BlockChunk {
  uint32_t source = 0;  // place among the sources
  uint32_t part = 0;    // place among the parts of the series
};

// Drops chunks that are deleted as a whole or lie outside [mint_ms, maxt_ms]; whether any is left. What lies partly
// outside is added to what is deleted.
bool DropDeleted(int64_t mint_ms, int64_t maxt_ms, SourceSeries* series);

// The chunk, its checksum verified. On an error, *fault is its kind.
Result<ChunkView> ReadChunk(const SourceChunk& chunk, FaultKind* fault);

// Appends the chunks, their checksums verified; those with deleted samples encoded anew, into `made`. On an error,
// *fault is its kind.
Status ReadPart(const SourceSeries& series, uint32_t source, std::deque<EncodedChunk>* made,
                std::vector<MergeChunk>* out, FaultKind* fault);

// Whether each chunk ends before the next one begins.
bool InOrder(std::span<const MergeChunk> chunks);

}  // namespace gauntlet::tsdb
