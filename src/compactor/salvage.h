// Salvage: a block made again without the chunks that do not read.
//
// Threads: a free function; it blocks.

#pragma once

#include <cstdint>
#include <string>

#include "base/cancel.h"
#include "base/status.h"
#include "compactor/group.h"
#include "compactor/output.h"

namespace gauntlet::compactor {

struct SalvageResult {
  blocks::MetaPtr made;  // null: nothing was left
  uint64_t lost_chunks = 0, touched_series = 0;
};

// The new block stands for the old one, which becomes its duplicate. kCorrupt when the index does not read.
Result<SalvageResult> SalvageBlock(const JobContext& context, const OutputOptions& options, const std::string& work_dir,
                                   const blocks::MetaPtr& meta, const Cancel& cancel);

}  // namespace gauntlet::compactor
