// What all decoders share: treatment of the samples just appended to the columns (those from index `base` on), errors.

#pragma once

#include <cstddef>
#include <cstdint>

#include "base/status.h"
#include "model/samples.h"
#include "tsdb/chunkenc/encoding.h"

namespace gauntlet::tsdb {

// Drops samples earlier than one before them, as a reader that only seeks forward never sees them. Equal times stay.
void KeepAscending(size_t base, Samples* out);

// Whether times may go back in a chunk whose first time is this and whose steps, or-ed as unsigned numbers, are
// `steps`. False for all but odd chunks, so that KeepAscending() need not look: at most 65,535 steps below 2^46 cannot
// wrap.
inline bool MayGoBack(uint64_t steps, int64_t first_ms) {
  constexpr int64_t kFar = int64_t{1} << 61;
  return steps >> 46 != 0 || first_ms > kFar || first_ms < -kFar;
}

// Drops samples outside [mint_ms, maxt_ms]. REQUIRES: times ascend.
void CutToRange(size_t base, int64_t mint_ms, int64_t maxt_ms, Samples* out);

// Drops all samples from `base` on.
void DropTail(size_t base, Samples* out);

// kCorrupt: a chunk that should hold so many samples does not parse within so many bytes.
Status MalformedChunk(Encoding encoding, size_t samples, size_t bytes);

}  // namespace gauntlet::tsdb
