// What the decoders do to the samples they have just appended to the columns: those from index `base` on.

#pragma once

#include <cstddef>
#include <cstdint>

#include "model/samples.h"

namespace gauntlet::tsdb {

// Drops samples earlier than one before them, as a reader that only seeks forward never sees them. Equal times stay.
void KeepAscending(size_t base, Samples* out);

// Drops samples outside [mint_ms, maxt_ms]. REQUIRES: times ascend.
void CutToRange(size_t base, int64_t mint_ms, int64_t maxt_ms, Samples* out);

// Drops all samples from `base` on.
void DropTail(size_t base, Samples* out);

}  // namespace gauntlet::tsdb
