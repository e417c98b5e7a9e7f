// The `anchored` and `smoothed` modifiers: values at the very ends of a window.
//
// Anchored: at its left end the window has the value of the last sample before it. Smoothed: at both ends a value on
// the line between the samples on either side. Their rates do not extrapolate.
//
// Upstream: prometheus promql/functions.go (extendedRate), engine.go (smoothSeries, extendFloats)
// Threads:  functions.

#pragma once

#include "base/status.h"
#include "model/samples.h"
#include "promql/exec/range/range_function.h"
#include "promql/exec/range/windows.h"

namespace gauntlet::promql {

// For an instant selector: windows of the lookback before and after each step. Sets the steps of `out` that have a
// sample at or before them.
Status SmoothInstants(const SeriesWindows& windows, PositionRange pos, Column* out, WorkerScratch* scratch);

// For a range selector asked for by itself. `samples` are those of (begin - lookback, end + lookback], without stale
// markers; what is left lies in [begin, end] with values at both ends, or is nothing.
Status ExtendSamples(int64_t begin_ms, int64_t end_ms, WindowEnds ends, Samples* samples);

}  // namespace gauntlet::promql
