// `tools tsdb create-blocks-from openmetrics`: samples of a text, written as blocks.
//
// Upstream: prometheus cmd/promtool/backfill.go
// Threads:  functions.

#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "io/file_system.h"

namespace gauntlet::tools {

struct CreateBlocksOptions {
  bool human = false, quiet = false;
  int64_t block_ms_max = 0;                                 // blocks may span as much; at least two hours
  std::vector<std::pair<std::string, std::string>> labels;  // set on all series
};

// One block for each span of two hours, or a larger one that `block_ms_max` allows, in which there are samples. Prints
// the table of what it made. Samples before the last one of their series are left out and counted in *dropped.
Status CreateBlocks(io::FileSystem& files, std::string_view open_metrics, const std::string& dir,
                    const CreateBlocksOptions& options, const std::function<void(std::string_view)>& print,
                    uint64_t* dropped);

// The length of blocks: the largest of 2h, 6h, 18h, .. that is at most this.
int64_t BlockLength(int64_t block_ms_max);

}  // namespace gauntlet::tools
