// Segments: the files of a block that hold its chunks; how a chunk stands in them, and references to chunks.
//
// Format:   docs/format/chunks.md      Upstream: prometheus tsdb/chunks/chunks.go
// Threads:  free functions on values.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"
#include "tsdb/chunkenc/chunk.h"

namespace gauntlet::tsdb {

inline constexpr uint32_t kSegmentMagic = 0x85bd40dd;
inline constexpr size_t kSegmentHeaderBytes = 8;  // magic, version 1, three zeros
inline constexpr uint64_t kSegmentBytesMax = 512 << 20;
// What a stored chunk has beside its data: at most 5 bytes of length, the encoding, the checksum.
inline constexpr size_t kStoredChunkOverheadMax = 10;

// Where a chunk of a block is: the place of its segment among the block's, from 0, and the offset in it.
struct ChunkPlace {
  uint32_t segment = 0, offset = 0;
};
inline uint64_t PackChunkRef(ChunkPlace place) { return uint64_t{place.segment} << 32 | place.offset; }
inline ChunkPlace UnpackChunkRef(uint64_t ref) {
  return {static_cast<uint32_t>(ref >> 32), static_cast<uint32_t>(ref)};
}

// "000001" for the first.
std::string SegmentName(uint32_t number);

// kCorrupt when these are not the first bytes of a segment.
Status CheckSegmentHeader(std::string_view segment);

// The bytes that the stored chunk at the front of `bytes` takes; 0 when its length does not parse (5 bytes show it).
uint64_t StoredChunkBytes(std::string_view bytes);

// The chunk at the front of `bytes`, its checksum verified. Borrows them.
Result<ChunkView> ReadStoredChunk(std::string_view bytes);

// Appends the chunk as it is stored.
void AppendStoredChunk(ChunkView chunk, std::string* out);

}  // namespace gauntlet::tsdb
