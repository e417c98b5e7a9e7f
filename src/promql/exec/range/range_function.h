// Range functions: one value per step from the samples of its window.
//
// To add one: derive from RangeFunction in the file of its family, and name it in the family's Make function.
//
// Upstream: prometheus promql/functions.go
// Threads:  immutable once open; shared by all workers.

#pragma once

#include <algorithm>
#include <memory>
#include <string_view>
#include <vector>

#include "promql/exec/range/windows.h"
#include "promql/exec/rows/context.h"
#include "promql/exec/rows/row.h"
#include "promql/exec/rows/stage.h"
#include "promql/plan/node.h"

namespace gauntlet::promql {

// What all range functions know about their call.
struct RangeCall {
  std::string_view function;
  double range_seconds = 0;
  int64_t range_ms = 0;
  PositionRange first_arg_pos;
  ExecOptions options;
  std::vector<std::vector<double>> args;  // the scalar arguments, one value per step each
};

// How the ends of a window are treated.
enum class WindowEnds : uint8_t { kPlain, kAnchored, kSmoothed };

class RangeFunction {
 public:
  virtual ~RangeFunction() = default;
  // Sets the steps of `out` (all absent) whose window suffices.
  virtual Status Run(const RangeCall& call, const SeriesWindows& windows, Column* out,
                     WorkerScratch* scratch) const = 0;
};

// Null when the family has no such function.
std::unique_ptr<RangeFunction> MakeRateFunction(std::string_view name);
std::unique_ptr<RangeFunction> MakeCountFunction(std::string_view name);
std::unique_ptr<RangeFunction> MakeSumFunction(std::string_view name);
std::unique_ptr<RangeFunction> MakeExtremaFunction(std::string_view name);
std::unique_ptr<RangeFunction> MakeRegressionFunction(std::string_view name);
std::unique_ptr<RangeFunction> MakeXFunction(std::string_view name);

std::unique_ptr<RangeFunction> MakeRangeFunction(std::string_view name);
// rate, increase and delta of `anchored` or `smoothed` windows; null for others.
std::unique_ptr<RangeFunction> MakeExtendedFunction(std::string_view name, WindowEnds ends);
// Whether a function may be called on such windows; kInvalid when not.
Status CheckWindowEnds(std::string_view function, WindowEnds ends);
// Whether the function's result is still about the metric (or nobody will see its name).
bool KeepsName(std::string_view name);

// Calls fn(step, first, end) for each step with at least one float; `first` and `end` index the floats. Stops when the
// query is over: the result is then of no use.
template <typename Fn>
void ForEachFloatWindow(const SeriesWindows& w, Fn&& fn) {
  for (uint32_t step = 0; step < w.steps(); ++step) {
    if (w.floats.lo[step] < w.floats.hi[step]) fn(step, w.floats.lo[step], w.floats.hi[step]);
    if (w.EndedAt(step)) return;
  }
}

// Sets each step with at least one float to value(step, first, end): as ForEachFloatWindow, for functions that have a
// value wherever there is a float.
template <typename Fn>
void SetFloatWindows(const SeriesWindows& w, Column* out, Fn&& value) {
  double* values = out->values();
  uint64_t* present = out->present();
  const uint32_t *los = w.floats.lo, *his = w.floats.hi;
  for (uint32_t begin = 0; begin < w.steps(); begin += 64) {
    const uint32_t end = std::min(begin + 64, w.steps());
    uint64_t bits = 0;
    for (uint32_t step = begin; step < end; ++step) {
      const uint32_t lo = los[step], hi = his[step];
      if (lo >= hi) continue;
      values[step] = value(step, lo, hi);
      bits |= uint64_t{1} << (step - begin);
    }
    present[begin / 64] |= bits;
    if (w.EndedAt(end - 1)) return;
  }
}

// The same for functions whose cost is that of all windows together: fn returns nothing, the query's end is seen.
template <typename Fn>
Status ForEachLongWindow(const SeriesWindows& w, WorkerScratch* scratch, Fn&& fn) {
  for (uint32_t step = 0; step < w.steps(); ++step) {
    uint32_t lo = w.floats.lo[step], hi = w.floats.hi[step];
    if (lo >= hi) continue;
    fn(step, lo, hi);
    GN_TRY(scratch->CheckCancelAfter(hi - lo));
  }
  return Status();
}

// For functions that look at floats only: says so for each window that has histograms beside them.
void NoteIgnoredHistograms(const RangeCall& call, const SeriesWindows& w, uint32_t floats_min, WorkerScratch* scratch);

}  // namespace gauntlet::promql
