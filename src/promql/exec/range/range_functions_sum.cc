// sum, avg, stddev, stdvar over time.
//
// Short windows are summed anew, in upstream's order; long ones slide (sliding.h). Both ways carry Kahan-Neumaier
// compensation. A window with a value that is not finite, or so large that a partial sum might overflow, is always
// summed anew.

#include <algorithm>
#include <cmath>
#include <limits>

#include "promql/exec/range/range_function.h"
#include "promql/exec/range/range_histograms.h"
#include "promql/exec/range/sliding.h"
#include "promql/exec/rows/math.h"
#include "promql/exec/rows/simd.h"

namespace gauntlet::promql {
namespace {

double SumInOrder(const double* values, uint32_t lo, uint32_t hi) {
  double sum = 0, c = 0;
  for (uint32_t i = lo; i < hi; ++i) KahanAdd(values[i], sum, c);
  return std::isinf(sum) ? sum : sum + c;
}

// The mean of the sum while that does not overflow, then an incremental mean.
double MeanInOrder(const double* values, uint32_t lo, uint32_t hi) {
  double sum = values[lo], c = 0, mean = 0, count = 1;
  bool incremental = false;
  for (uint32_t i = lo + 1; i < hi; ++i) {
    count = static_cast<double>(i - lo + 1);
    if (!incremental) {
      double new_sum = sum, new_c = c;
      KahanAdd(values[i], new_sum, new_c);
      if (!std::isinf(new_sum)) {
        sum = new_sum;
        c = new_c;
        continue;
      }
      incremental = true;
      mean = sum / (count - 1);
      c /= count - 1;
    }
    double q = (count - 1) / count;
    mean *= q;
    c *= q;
    KahanAdd(values[i] / count, mean, c);
  }
  return incremental ? mean + c : sum / count + c / count;
}

GN_WIDE_VECTORS void AddEach(const double* values, size_t size, double* __restrict sums, double* __restrict cs) {
  for (size_t i = 0; i < size; ++i) AddFinite(values[i], &sums[i], &cs[i]);
}

class SumOverTime : public RangeFunction {
 public:
  explicit SumOverTime(bool average) : average_(average) {}

  Status Run(const RangeCall& call, const SeriesWindows& w, Column* out, WorkerScratch* scratch) const override {
    if (w.histograms.empty()) {
      RunFloats(w, out, scratch);
      return Status();
    }
    std::vector<uint32_t> hi;
    RunFloats(FloatSteps(w, &hi), out, scratch);
    return HistogramSumOverTime(call, w, average_, out, scratch);
  }

 private:
  void RunFloats(const SeriesWindows& w, Column* out, WorkerScratch* scratch) const {
    RiskyValues risky(w.floats.values, w.floats.size, 1e300, &scratch->indexes);
    if (WorthSliding(w)) return Slide(w, risky, out);
    const bool safe = !risky.Any(0, static_cast<uint32_t>(w.floats.size));
    if (safe && SumTogether(w, out, scratch)) return;
    SetFloatWindows(w, out, [&](uint32_t, uint32_t lo, uint32_t hi) { return InOrder(w, lo, hi); });
  }

  double InOrder(const SeriesWindows& w, uint32_t lo, uint32_t hi) const {
    return average_ ? MeanInOrder(w.floats.values, lo, hi) : SumInOrder(w.floats.values, lo, hi);
  }

  // Short windows, still in upstream's order: the sums of as many values as the shortest has are made of all places at
  // once. False, and nothing done, when windows are not short or too few for that.
  bool SumTogether(const SeriesWindows& w, Column* out, WorkerScratch* scratch) const {
    const FloatWindows& f = w.floats;
    uint32_t shortest = kFew, longest = 0;
    ForEachFloatWindow(w, [&](uint32_t, uint32_t lo, uint32_t hi) {
      shortest = std::min(shortest, hi - lo);
      longest = std::max(longest, hi - lo);
    });
    if (longest < shortest || longest > kFew || f.size > 4 * size_t{w.steps()}) return false;
    const size_t places = f.size + 1 - shortest;
    std::vector<double>&sums = scratch->doubles, &cs = scratch->values;
    sums.resize(places);
    cs.assign(places, 0);
    // Upstream's sum begins with 0, which makes a 0 of -0; its mean begins with the first value.
    for (size_t i = 0; i < places; ++i) sums[i] = average_ ? f.values[i] : 0 + f.values[i];
    for (uint32_t i = 1; i < shortest; ++i) AddEach(f.values + i, places, sums.data(), cs.data());
    SetFloatWindows(w, out, [&](uint32_t, uint32_t lo, uint32_t hi) {
      double sum = sums[lo], c = cs[lo];
      for (uint32_t i = lo + shortest; i < hi; ++i) AddFinite(f.values[i], &sum, &c);
      const auto n = static_cast<double>(hi - lo);
      return average_ ? sum / n + c / n : sum + c;
    });
    return true;
  }

  void Slide(const SeriesWindows& w, const RiskyValues& risky, Column* out) const {
    SumFold fold{w.floats.values};
    SlidingWindow<SumFold> window(&fold, w.last_lo());
    SetFloatWindows(w, out, [&](uint32_t, uint32_t lo, uint32_t hi) {
      if (!risky.MaySlide(lo, hi, kFew)) return InOrder(w, lo, hi);
      const CompensatedSum all = window.Over(lo, hi);
      const double n = static_cast<double>(hi - lo);
      return average_ ? all.sum / n + all.c / n : all.sum + all.c;
    });
  }

  static constexpr uint32_t kFew = 8;  // a step of sliding takes as long as so many additions
  const bool average_;
};

// Count, mean and sum of squared distances to the mean, by Welford's update; two of them join by Chan's formula.
struct VarianceFold {
  struct State {
    double count = 0, mean = 0, mean_c = 0, aux = 0, aux_c = 0;
    void Add(double v) {
      ++count;
      const double delta = v - (mean + mean_c);
      KahanAdd(delta / count, mean, mean_c);
      KahanAdd(delta * (v - (mean + mean_c)), aux, aux_c);
    }
    double variance() const { return (aux + aux_c) / count; }
  };
  const double* values;
  void Begin(uint32_t, uint32_t) {}
  void AddFront(State* s, uint32_t i) const { s->Add(values[i]); }
  void AddBack(State* s, uint32_t i) const { s->Add(values[i]); }
  State Join(State left, const State& right) const {
    if (right.count == 0) return left;
    const double count = left.count + right.count;
    const double delta = (right.mean - left.mean) + (right.mean_c - left.mean_c);
    KahanAdd(right.aux, left.aux, left.aux_c);
    left.aux_c += right.aux_c;
    KahanAdd(delta * delta * (left.count / count * right.count), left.aux, left.aux_c);
    left.count = count;
    return left;  // without its mean, which nobody asks for
  }
};

class VarianceOverTime : public RangeFunction {
 public:
  explicit VarianceOverTime(bool root) : root_(root) {}

  Status Run(const RangeCall& call, const SeriesWindows& w, Column* out, WorkerScratch* scratch) const override {
    NoteIgnoredHistograms(call, w, 1, scratch);
    const bool slide = WorthSliding(w);
    RiskyValues risky(w.floats.values, slide ? w.floats.size : 0, 1e140, &scratch->indexes);
    VarianceFold fold{w.floats.values};
    SlidingWindow<VarianceFold> window(&fold, w.last_lo());
    return ForEachLongWindow(w, scratch, [&](uint32_t step, uint32_t lo, uint32_t hi) {
      VarianceFold::State state;
      if (slide && risky.MaySlide(lo, hi)) {
        state = window.Over(lo, hi);
      } else {
        for (uint32_t i = lo; i < hi; ++i) state.Add(w.floats.values[i]);
      }
      out->Set(step, root_ ? std::sqrt(state.variance()) : state.variance());
    });
  }

 private:
  const bool root_;
};

}  // namespace

std::unique_ptr<RangeFunction> MakeSumFunction(std::string_view name) {
  if (name == "sum_over_time") return std::make_unique<SumOverTime>(false);
  if (name == "avg_over_time") return std::make_unique<SumOverTime>(true);
  if (name == "stddev_over_time") return std::make_unique<VarianceOverTime>(true);
  if (name == "stdvar_over_time") return std::make_unique<VarianceOverTime>(false);
  return nullptr;
}

}  // namespace gauntlet::promql
