// Sizes in bytes as flags and configuration files write them: "250MB", "1.5GiB", "512B", "1024".
//
// Upstream: github.com/alecthomas/units, Base2Bytes: MB and MiB are the same.
// Threads:  pure functions.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"

namespace gauntlet {

Result<uint64_t> ParseByteSize(std::string_view text);
// "1GiB", "1KiB512B", "0B".
std::string FormatByteSize(uint64_t bytes);

}  // namespace gauntlet
