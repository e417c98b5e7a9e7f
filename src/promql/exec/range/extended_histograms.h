// The `anchored` and `smoothed` modifiers over native histograms.
//
// Upstream: prometheus promql/functions.go (extendedHistogramRate, interpolateHistograms), engine.go (smoothSeries)
// Threads:  functions.

#pragma once

#include <optional>

#include "promql/exec/histograms/histogram_notes.h"
#include "promql/exec/range/range_function.h"
#include "promql/exec/range/windows.h"

namespace gauntlet::promql {

// rate, increase and delta, for the steps whose window has histograms.
Status ExtendedHistogramRate(const RangeCall& call, const SeriesWindows& w, bool is_counter, bool is_rate,
                             bool smoothed, Column* out, WorkerScratch* scratch);

// The histogram at time `t_ms` of a smoothed instant selector, from those of the window [lo, hi) at `step`; null when
// there is none.
std::shared_ptr<const Histogram> SmoothHistogram(const SeriesWindows& w, uint32_t step, int64_t t_ms,
                                                 HistogramNotes* notes);

}  // namespace gauntlet::promql
