// Sorted string lists as answers: merged, and cut to a limit with the warning that says so.
//
// Threads: free functions on values.

#pragma once

#include <cstdint>
#include <vector>

#include "storage/storage.h"

namespace gauntlet::storage {

inline constexpr char kTruncatedWarning[] = "results truncated due to limit";

// limit 0 = all.
void Truncate(Strings& strings, int64_t limit);
// The sorted union of all, with their annotations.
Strings MergeStrings(std::vector<Strings> parts);

}  // namespace gauntlet::storage
