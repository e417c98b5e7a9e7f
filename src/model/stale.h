// The stale marker: the NaN with which a scraper says that a series ended.
//
// Upstream: prometheus model/value/value.go

#pragma once

#include <bit>
#include <cstdint>

namespace gauntlet {

inline constexpr uint64_t kStaleNaNBits = 0x7ff0000000000002;
inline constexpr uint64_t kNormalNaNBits = 0x7ff8000000000001;

inline double StaleNaN() { return std::bit_cast<double>(kStaleNaNBits); }
inline double NormalNaN() { return std::bit_cast<double>(kNormalNaNBits); }
inline bool IsStaleNaN(double v) { return std::bit_cast<uint64_t>(v) == kStaleNaNBits; }

}  // namespace gauntlet
