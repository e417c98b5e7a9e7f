// Functions that look at which samples there are rather than at what they say: count, present, first, last, changes.

#include <algorithm>
#include <cmath>

#include "promql/exec/range/range_function.h"
#include "promql/exec/range/range_histograms.h"
#include "promql/exec/rows/simd.h"

namespace gauntlet::promql {
namespace {

class CountOverTime : public RangeFunction {
 public:
  explicit CountOverTime(bool presence_only) : presence_only_(presence_only) {}
  Status Run(const RangeCall&, const SeriesWindows& w, Column* out, WorkerScratch*) const override {
    if (w.histograms.empty()) {
      SetFloatWindows(w, out, [this](uint32_t, uint32_t lo, uint32_t hi) { return presence_only_ ? 1.0 : hi - lo; });
      return Status();
    }
    for (uint32_t step = 0; step < w.steps(); ++step) {
      uint32_t count = w.FloatCount(step) + w.HistogramCount(step);
      if (count > 0) out->Set(step, presence_only_ ? 1 : count);
    }
    return Status();
  }

 private:
  const bool presence_only_;
};

// The first or last sample of the window, or its time.
class EndOverTime : public RangeFunction {
 public:
  EndOverTime(bool last, bool time) : last_(last), time_(time) {}

  Status Run(const RangeCall&, const SeriesWindows& w, Column* out, WorkerScratch*) const override {
    if (w.histograms.empty()) {
      const FloatWindows& f = w.floats;
      SetFloatWindows(w, out, [&](uint32_t, uint32_t lo, uint32_t hi) {
        const uint32_t at = last_ ? hi - 1 : lo;
        return time_ ? static_cast<double>(f.times_ms[at]) / 1000 : f.values[at];
      });
      return Status();
    }
    const Histogram* copied = nullptr;
    std::shared_ptr<const Histogram> shared;
    for (uint32_t step = 0; step < w.steps(); ++step) {
      const bool have_float = w.FloatCount(step) > 0;
      const TimedHistogram* histogram = nullptr;
      if (w.HistogramCount(step) > 0) {
        histogram = &w.histograms.samples[last_ ? w.histograms.hi[step] - 1 : w.histograms.lo[step]];
      }
      uint32_t at = have_float ? (last_ ? w.floats.hi[step] - 1 : w.floats.lo[step]) : 0;
      // At equal times (which do not happen) the histogram wins, as upstream.
      bool use_float = have_float && (histogram == nullptr || (last_ ? histogram->time_ms < w.floats.times_ms[at]
                                                                     : w.floats.times_ms[at] < histogram->time_ms));
      if (use_float) {
        out->Set(step, time_ ? static_cast<double>(w.floats.times_ms[at]) / 1000 : w.floats.values[at]);
      } else if (histogram != nullptr) {
        if (time_) {
          out->Set(step, static_cast<double>(histogram->time_ms) / 1000);
        } else {
          // Neighbouring windows often end with the same one.
          if (histogram->histogram != copied) shared = std::make_shared<const Histogram>(*histogram->histogram);
          copied = histogram->histogram;
          out->histograms().push_back({step, shared});
        }
      }
    }
    return Status();
  }

 private:
  const bool last_, time_;
};

// How many of the `size` values differ from the one before them (of the first one, in front of it).
GN_WIDE_VECTORS uint32_t CountChanges(const double* values, uint32_t size) {
  uint64_t count = 0;
  for (int64_t i = 0; i < size; ++i) {
    const double now = values[i], before = values[i - 1];
    count += (now != before) & ((now == now) | (before == before));
  }
  return static_cast<uint32_t>(count);
}

class Changes : public RangeFunction {
 public:
  Status Run(const RangeCall&, const SeriesWindows& w, Column* out, WorkerScratch*) const override {
    if (!w.histograms.empty()) {
      CountTransitions(w, Transition::kChange, out);
      return Status();
    }
    const double* values = w.floats.values;
    // Of samples [begin, end), each seen from the one before it.
    uint32_t begin = 0, end = 0, count = 0;
    SetFloatWindows(w, out, [&](uint32_t, uint32_t lo, uint32_t hi) {
      if (lo + 1 >= end || lo + 1 < begin || hi < end) {
        begin = end = lo + 1;
        count = 0;
      }
      count += CountChanges(values + end, hi - end);
      count -= CountChanges(values + begin, lo + 1 - begin);
      begin = lo + 1;
      end = hi;
      return static_cast<double>(count);
    });
    return Status();
  }
};

}  // namespace

std::unique_ptr<RangeFunction> MakeCountFunction(std::string_view name) {
  if (name == "count_over_time") return std::make_unique<CountOverTime>(false);
  // absent_over_time is made from it: absent.cc.
  if (name == "present_over_time" || name == "absent_over_time") return std::make_unique<CountOverTime>(true);
  if (name == "last_over_time") return std::make_unique<EndOverTime>(true, false);
  if (name == "first_over_time") return std::make_unique<EndOverTime>(false, false);
  if (name == "ts_of_last_over_time") return std::make_unique<EndOverTime>(true, true);
  if (name == "ts_of_first_over_time") return std::make_unique<EndOverTime>(false, true);
  if (name == "changes") return std::make_unique<Changes>();
  return nullptr;
}

}  // namespace gauntlet::promql
