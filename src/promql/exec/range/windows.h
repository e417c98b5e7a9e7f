// Windows: for each step, which samples of a series a range function sees.
//
// A window is left-open: (end - range, end], end = step time - shift. Stale markers are not there.
//
// Upstream: prometheus promql/engine.go (matrixIterSlice)
// Threads:  values; one thread at a time.

#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/labels.h"
#include "model/samples.h"
#include "promql/exec/rows/row.h"
#include "promql/exec/rows/stage.h"
#include "promql/plan/step_grid.h"

namespace gauntlet::promql {

struct WindowSpec {
  StepGrid grid;
  int64_t shift_ms = 0, range_ms = 0;
  // `anchored` and `smoothed` also look at samples up to so far before and after the window.
  int64_t before_ms = 0, after_ms = 0;
  bool fixed = false;        // all steps see the window of the first
  bool counts = true;        // the samples are part of the query's statistics
  bool newly_read = true;    // counts as read: false over a subquery, whose own selectors did
  bool start_times = false;  // wanted
};

// The floats of one series, and the bounds of the window of each step into them: [lo[i], hi[i]).
struct FloatWindows {
  const int64_t* times_ms = nullptr;
  const double* values = nullptr;
  const int64_t* start_times_ms = nullptr;  // null when unknown or not wanted
  size_t size = 0;
  int64_t interval_ms = 0;  // from each time to the next; 0 when that differs, or nobody has looked
  const uint32_t* lo = nullptr;
  const uint32_t* hi = nullptr;
};

struct TimedHistogram {
  int64_t time_ms;
  int64_t start_time_ms;       // 0 = unknown
  const Histogram* histogram;  // of the samples that the windows were made from
};

// The same for native histograms; empty (and without bounds) for almost every series.
struct HistogramWindows {
  std::vector<TimedHistogram> samples;
  const uint32_t* lo = nullptr;
  const uint32_t* hi = nullptr;
  bool empty() const { return samples.empty(); }
};

// What a range function works on.
struct SeriesWindows {
  const WindowSpec* spec = nullptr;
  LabelsView labels;
  FloatWindows floats;
  HistogramWindows histograms;
  const WorkerScratch* scratch = nullptr;  // tells whether the query is over; null: it never is

  uint32_t steps() const { return spec->grid.steps; }
  uint32_t FloatCount(uint32_t step) const { return floats.hi[step] - floats.lo[step]; }
  uint32_t HistogramCount(uint32_t step) const {
    return histograms.empty() ? 0 : histograms.hi[step] - histograms.lo[step];
  }
  // At every kPollSteps-th step: whether there is no use in going on.
  bool EndedAt(uint32_t step) const { return step % kPollSteps == kPollSteps - 1 && Ended(); }
  bool Ended() const { return scratch != nullptr && scratch->Ended(); }
  // Where the last window of floats begins.
  uint32_t last_lo() const { return floats.lo[steps() - 1]; }
  // The window's right end; its left one is range_ms before it.
  int64_t end_ms(uint32_t step) const { return spec->grid.time_ms(step) - spec->shift_ms; }
  int64_t start_ms(uint32_t step) const { return end_ms(step) - spec->range_ms; }
};

// Whether one of the values is a stale marker.
bool HasStaleNaN(std::span<const double> values);

// Prepares `samples` (which it may change) for the steps of `spec`, in buffers of `scratch`, and counts the samples
// seen. False when every window is empty, and when the query is over.
bool MakeWindows(const WindowSpec& spec, LabelsView labels, Samples* samples, WorkerScratch* scratch,
                 SeriesWindows* out);

// For `anchored` functions that compare neighbours: each window begins with the last sample at or before its left end,
// when there is one, and is empty when no sample follows that end.
void AnchorWindows(WorkerScratch* scratch, SeriesWindows* windows);

}  // namespace gauntlet::promql
