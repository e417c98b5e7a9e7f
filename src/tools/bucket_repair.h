// Repair of a block whose index lists chunks that it should not: a new block without them.
//
// Upstream: thanos pkg/block/index.go, Repair
// Threads:  a free function; it blocks.

#pragma once

#include <string>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/status.h"
#include "base/ulid.h"
#include "blocks/thanos_meta.h"
#include "io/file_system.h"

namespace gauntlet::tools {

// The block lies in `parent`/ID; the new one will, too. Left out are chunks that lie outside the block's times, or
// reach to their end, and exact duplicates of the chunk before. kCorrupt when something else is wrong.
Result<Ulid> RepairBlock(io::FileSystem& files, Clock& clock, const std::string& parent, const blocks::Meta& meta,
                         const Cancel& cancel);

}  // namespace gauntlet::tools
