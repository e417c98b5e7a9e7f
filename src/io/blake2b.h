// BLAKE2b with 256 bits: of keys in caches that are shared with Thanos.
//
// Format:  RFC 7693
// Threads: a free function.

#pragma once

#include <string>
#include <string_view>

namespace gauntlet::io {

// 32 bytes.
std::string Blake2b256(std::string_view bytes);

}  // namespace gauntlet::io
