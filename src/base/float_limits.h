// The two values that are not numbers of their own.
//
// Threads: constants.

#pragma once

#include <limits>

namespace gauntlet {

inline constexpr double kInfinity = std::numeric_limits<double>::infinity();
inline constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();  // not the NaN that marks a stale series

}  // namespace gauntlet
