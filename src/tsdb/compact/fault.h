// BlockFault: what is wrong with which block, in the kinds that a compactor treats differently.
//
// Threads: a value.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"
#include "base/ulid.h"

namespace gauntlet::tsdb {

enum class FaultKind : uint8_t {
  kNone,          // the error is not the block's: cancelled, the store, the disk
  kIndex,         // the index, or what else describes the block, does not read
  kSeriesOrder,   // series that do not ascend
  kChunkOrder,    // chunks of a series that overlap or go back
  kMissingChunk,  // a segment that is not there, or ends before the chunk
  kChunk,         // a chunk's checksum is wrong, or it does not decode
};

// "broken index", "missing chunk", ..
std::string_view FaultName(FaultKind kind);

// The kind when the bytes of a block are to blame for the error, kMissingChunk for something that is not there, kNone
// for any other error.
FaultKind FaultOf(const Status& status, FaultKind kind);

struct BlockFault {
  FaultKind kind = FaultKind::kNone;
  Ulid block;
  std::string series;  // its labels; "" when it is not about one
};

}  // namespace gauntlet::tsdb
