#include "promql/exec/range/range_function.h"

namespace gauntlet::promql {

std::unique_ptr<RangeFunction> MakeRangeFunction(std::string_view name) {
  for (auto make : {MakeRateFunction, MakeCountFunction, MakeSumFunction, MakeExtremaFunction, MakeRegressionFunction,
                    MakeXFunction}) {
    if (auto function = make(name)) return function;
  }
  return nullptr;
}

bool KeepsName(std::string_view name) {
  return name == "last_over_time" || name == "first_over_time" || name == "absent_over_time";
}

void NoteIgnoredHistograms(const RangeCall& call, const SeriesWindows& w, uint32_t floats_min, WorkerScratch* scratch) {
  if (w.histograms.empty()) return;
  for (uint32_t step = 0; step < w.steps(); ++step) {
    if (w.FloatCount(step) < floats_min || w.HistogramCount(step) == 0) continue;
    scratch->annotations.HistogramIgnoredInMixedRange(w.labels.Get(kMetricName), call.first_arg_pos);
    return;
  }
}

}  // namespace gauntlet::promql
