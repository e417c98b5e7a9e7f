// Chunks: up to some hundred samples of one series in a few hundred bytes; decoding of any encoding into columns.
//
// Format:   one per encoding, see xor.h, xor2.h, histogram_chunk.h, aggr_chunk.h
// Upstream: prometheus tsdb/chunkenc/chunk.go

#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

#include "base/status.h"
#include "model/samples.h"
#include "tsdb/chunkenc/encoding.h"

namespace gauntlet::tsdb {

// A chunk as it stands in a segment, without length and checksum. Borrows the bytes.
struct ChunkView {
  Encoding encoding = Encoding::kNone;
  std::string_view bytes;
  bool operator==(const ChunkView&) const = default;
};

// Samples in the chunk by its header, without decoding; of an aggregate chunk, those of its count. 0 when it is too
// short for a header.
uint32_t SampleCount(ChunkView chunk);

// Appends the samples with mint_ms <= t <= maxt_ms to `out`, in ascending time; equal times are kept (a downsampled
// counter repeats its last time). On error nothing is appended: kCorrupt when the bytes do not decode, kUnsupported for
// an unknown encoding or an aggregate chunk. Safe on any bytes; allocates in proportion to what they hold.
Status DecodeChunk(ChunkView chunk, int64_t mint_ms, int64_t maxt_ms, Samples* out);

inline Status DecodeChunk(ChunkView chunk, Samples* out) {
  return DecodeChunk(chunk, std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max(), out);
}

// The same for chunks of one series in the order of their times, which several at once are decoded faster than one by
// one. Of chunks that overlap, samples not later than the last one of those before are left out. On error the samples
// of the chunks before may have been appended.
Status DecodeChunks(std::span<const ChunkView> chunks, int64_t mint_ms, int64_t maxt_ms, Samples* out);

// First and last time of the samples; mint > maxt when there are none.
struct TimeRange {
  int64_t mint_ms = std::numeric_limits<int64_t>::max();
  int64_t maxt_ms = std::numeric_limits<int64_t>::min();
};

// Decodes the chunk to find its range; of an aggregate chunk, that of all its parts. Errors as DecodeChunk().
Result<TimeRange> ReadTimeRange(ChunkView chunk);

}  // namespace gauntlet::tsdb
