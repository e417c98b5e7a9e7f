// Range functions over native histograms, for the steps whose window has some.
//
// The functions for floats call these when a series has any histogram, and run themselves over FloatSteps().
//
// Upstream: prometheus promql/functions.go (histogramRate, instantValue, funcSumOverTime, funcAvgOverTime, funcChanges,
// funcResets)
// Threads:  functions.

#pragma once

#include <vector>

#include "promql/exec/range/range_function.h"

namespace gauntlet::promql {

// The windows without those that have histograms. `hi` holds their ends.
SeriesWindows FloatSteps(const SeriesWindows& w, std::vector<uint32_t>* hi);

Status HistogramRate(const RangeCall& call, const SeriesWindows& w, bool is_counter, bool is_rate, Column* out,
                     WorkerScratch* scratch);
// Whether one of the last two samples of a window is a histogram.
bool EndsWithHistogram(const SeriesWindows& w, uint32_t step);
// irate and idelta of the windows that end so.
Status HistogramInstantRate(const RangeCall& call, const SeriesWindows& w, bool is_rate, Column* out,
                            WorkerScratch* scratch);
Status HistogramSumOverTime(const RangeCall& call, const SeriesWindows& w, bool average, Column* out,
                            WorkerScratch* scratch);

// changes and resets of a series of floats and histograms: how often two neighbours differ in that sense.
enum class Transition : uint8_t { kChange, kReset };
void CountTransitions(const SeriesWindows& w, Transition transition, Column* out);

}  // namespace gauntlet::promql
