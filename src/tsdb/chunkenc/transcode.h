// Transcoding: chunks that StoreAPI has no name for, written again in the encodings that every peer reads.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "tsdb/chunkenc/chunk.h"

namespace gauntlet::tsdb {

struct EncodedChunk {
  Encoding encoding = Encoding::kNone;
  std::string bytes;
  int64_t mint_ms = 0, maxt_ms = 0;  // first and last sample

  ChunkView view() const { return {encoding, bytes}; }
};

// Whether StoreAPI and older Prometheus know the encoding: XOR, histogram, float histogram.
bool IsPortable(Encoding encoding);

// The chunk's samples in portable chunks, in time order; start times are lost, reset headers are kept. One chunk almost
// always. kCorrupt when the chunk does not decode, kUnsupported for an aggregate chunk. An empty chunk gives none.
Result<std::vector<EncodedChunk>> Transcode(ChunkView chunk);

// Samples, already in time order, as chunks of at most `samples_max` in the portable encodings: a new one where floats
// and histograms alternate, and where a histogram needs it. Appends to `out`.
void EncodeSamples(const Samples& samples, size_t samples_max, std::vector<EncodedChunk>* out);

}  // namespace gauntlet::tsdb
