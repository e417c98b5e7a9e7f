// Native histograms in scripts: sequences of them, and their comparison.
//
// Upstream: prometheus promql/promqltest/test.go (compareNativeHistogram)
// Threads:  functions.

#pragma once

#include "base/status.h"
#include "model/histogram.h"

namespace gauntlet::promql {

// a + b, or a - b when `sign` is -1, at the lower of their schemas. kUnsupported for other bounds or zero thresholds.
Result<Histogram> AddHistograms(const Histogram& a, const Histogram& b, double sign);

// Equal within `epsilon`, whatever the layout of their spans; the hint only when `compare_hint`.
bool AlmostSameHistogram(const Histogram& expected, const Histogram& actual, double epsilon, bool compare_hint);

}  // namespace gauntlet::promql
