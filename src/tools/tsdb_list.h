// `tools tsdb list`: the blocks of a database folder, a line each.
//
// Threads: functions.

#pragma once

#include <cstdint>
#include <string>

#include "tsdb/block/block_directory.h"

namespace gauntlet::tools {

// Opens the blocks of a folder, also those that another one was made of. Blocks that do not open are an error that
// names them all, as of promtool.
Result<std::shared_ptr<const tsdb::BlockList>> OpenBlocks(io::FileSystem& files, const std::string& dir);

// `human`: times and sizes for people.
std::string BlockTable(const tsdb::BlockList& blocks, bool human);

// "1KiB24B": powers of 1024, none left out but zeros.
std::string Base2Bytes(uint64_t bytes);

}  // namespace gauntlet::tools
