// What the start time of a sample says about its counter.
//
// Upstream: prometheus promql/functions.go (isStartTimestampReset, checkStartTimeOverlap)
// Threads:  functions.

#pragma once

#include <cstdint>

namespace gauntlet::promql {

// Whether the start time of a sample says that the counter began again after the previous sample.
inline bool IsStartTimeReset(int64_t previous_start, int64_t previous, int64_t start, int64_t now) {
  if (start == 0 || start >= now || start < previous) return false;  // unknown, senseless, or older
  if (start > previous) return true;
  // A delta series; unless the previous start is not known either.
  return previous_start <= previous && previous_start != 0 && previous_start != previous;
}

inline bool StartTimesOverlap(int64_t previous_start, int64_t previous, int64_t start) {
  return start != 0 && start < previous && start != previous_start;
}

}  // namespace gauntlet::promql
