// MD5, which the hashmod action of relabelling and some index names need. Not for anything that must be safe.
//
// Threads: a pure function.

#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace gauntlet {

// RFC 1321.
std::array<uint8_t, 16> Md5(std::string_view bytes);

}  // namespace gauntlet
