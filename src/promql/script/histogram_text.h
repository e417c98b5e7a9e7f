// Native histograms of the promqltest language: {{schema:1 sum:5 count:4 buckets:[1 2 1] counter_reset_hint:gauge}}.
//
// Upstream: prometheus promql/parser/generated_parser.y (histogram_series_value), model/histogram (TestExpression)
// Threads:  functions.

#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "model/histogram.h"

namespace gauntlet::promql {

// The text between {{ and }}.
Result<Histogram> ParseHistogramText(std::string_view text, bool* reset_hint_set);
std::string HistogramText(const Histogram& histogram);

// a + b, or a - b when `sign` is -1, at the lower of their schemas. kUnsupported for other bounds or zero thresholds.
Result<Histogram> AddHistograms(const Histogram& a, const Histogram& b, double sign);

// Equal within `epsilon`, whatever the layout of their spans; the hint only when `compare_hint`.
bool SameHistogram(const Histogram& expected, const Histogram& actual, double epsilon, bool compare_hint);

}  // namespace gauntlet::promql
