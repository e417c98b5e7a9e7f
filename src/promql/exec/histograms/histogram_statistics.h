// Histogram statistics: histograms without their buckets, where only count and sum are wanted.
//
// Before the buckets go, each histogram learns from them whether its counter was reset, as far as upstream's iterator
// would know: it compares with the histogram that it met last, and has met none where it jumped.
//
// Upstream: prometheus promql/histogram_stats_iterator.go, storage/buffer.go, memoized_iterator.go (Seek)
// Threads:  functions.

#pragma once

#include "model/samples.h"
#include "promql/plan/step_grid.h"

namespace gauntlet::promql {

// Reads of a series at the times of `grid` - shift_ms, of windows of window_ms each.
struct WindowReads {
  StepGrid grid;
  int64_t shift_ms = 0, window_ms = 0;
};

void KeepStatistics(const WindowReads& reads, Samples* samples);

}  // namespace gauntlet::promql
