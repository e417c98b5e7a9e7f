// `tools tsdb analyze`: what makes a block large: churn, cardinality, chunks.
//
// Threads: functions.

#pragma once

#include <string>

#include "base/cancel.h"
#include "tsdb/block/block.h"

namespace gauntlet::tools {

struct AnalyzeOptions {
  size_t limit = 20;  // items of each list
  bool extended = false;
  std::string match;  // one selector; "" = all series
};

// The report, its lists in the order of what they count and then of their names.
Result<std::string> AnalyzeBlock(const tsdb::Block& block, const AnalyzeOptions& options, const Cancel& cancel);

}  // namespace gauntlet::tools
