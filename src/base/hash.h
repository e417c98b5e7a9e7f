// Hashes of bytes: xxHash64, the one Prometheus and Thanos use for labels and chunks.
//
// Threads: pure functions.

#pragma once

#include <cstdint>
#include <string_view>

namespace gauntlet {

uint64_t XxHash64(std::string_view bytes);

}  // namespace gauntlet
