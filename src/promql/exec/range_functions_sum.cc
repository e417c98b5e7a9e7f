// sum, avg, stddev, stdvar over time.
//
// Short windows are summed anew, in upstream's order. Long ones are cut at a moving boundary: sums of all suffixes left
// of it are kept, the part right of it grows with the window; so each sample is added twice however many windows see
// it, and nothing is ever subtracted. Both ways carry Kahan-Neumaier compensation. A window with a value that is not
// finite, or so large that a partial sum might overflow, is always summed anew.

#include <algorithm>
#include <cmath>
#include <limits>

#include "promql/exec/math.h"
#include "promql/exec/range_function.h"
#include "promql/exec/range_histograms.h"

namespace gauntlet::promql {
namespace {

struct Compensated {
  double sum = -0.0, c = 0;  // -0: neutral, also for -0
};

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
    uint64_t seen = 0;
    ForEachFloatWindow(w, [&](uint32_t, uint32_t lo, uint32_t hi) { seen += hi - lo; });
    if (seen <= 6 * (w.floats.size + w.steps())) {
      ForEachFloatWindow(w, [&](uint32_t step, uint32_t lo, uint32_t hi) { out->Set(step, InOrder(w, lo, hi)); });
    } else {
      Slide(w, out, scratch);
    }
  }

  double InOrder(const SeriesWindows& w, uint32_t lo, uint32_t hi) const {
    return average_ ? MeanInOrder(w.floats.values, lo, hi) : SumInOrder(w.floats.values, lo, hi);
  }

  void Slide(const SeriesWindows& w, Column* out, WorkerScratch* scratch) const {
    const double* values = w.floats.values;
    const uint32_t size = static_cast<uint32_t>(w.floats.size);
    // risky[i]: values before i that are not to be summed in another order. Ten million of the others cannot overflow.
    std::vector<uint32_t>& risky = scratch->indexes;
    risky.resize(size + 1);
    risky[0] = 0;
    for (uint32_t i = 0; i < size; ++i) risky[i + 1] = risky[i] + !(std::fabs(values[i]) < 1e300);

    std::vector<double>& suffixes = scratch->doubles;  // sum and compensation of [i, boundary), at 2 * (i - base)
    uint32_t base = 0, boundary = 0, right_end = 0;
    Compensated right;
    ForEachFloatWindow(w, [&](uint32_t step, uint32_t lo, uint32_t hi) {
      if (risky[hi] != risky[lo]) return out->Set(step, InOrder(w, lo, hi));
      if (lo >= boundary) {
        base = lo;
        boundary = right_end = hi;
        right = Compensated();
        suffixes.resize(2 * (hi - lo));
        Compensated left;
        for (uint32_t i = hi; i-- > lo;) {
          KahanAdd(values[i], left.sum, left.c);
          suffixes[2 * (i - base)] = left.sum;
          suffixes[2 * (i - base) + 1] = left.c;
        }
      }
      for (; right_end < hi; ++right_end) KahanAdd(values[right_end], right.sum, right.c);
      Compensated all{suffixes[2 * (lo - base)], suffixes[2 * (lo - base) + 1]};
      KahanAdd(right.sum, all.sum, all.c);
      all.c += right.c;
      double n = static_cast<double>(hi - lo);
      out->Set(step, average_ ? all.sum / n + all.c / n : all.sum + all.c);
    });
  }

  const bool average_;
};

class VarianceOverTime : public RangeFunction {
 public:
  explicit VarianceOverTime(bool root) : root_(root) {}

  Status Run(const RangeCall& call, const SeriesWindows& w, Column* out, WorkerScratch* scratch) const override {
    NoteIgnoredHistograms(call, w, 1, scratch);
    const double* values = w.floats.values;
    return ForEachLongWindow(w, scratch, [&](uint32_t step, uint32_t lo, uint32_t hi) {
      double count = 0, mean = 0, mean_c = 0, aux = 0, aux_c = 0;
      for (uint32_t i = lo; i < hi; ++i) {
        ++count;
        double delta = values[i] - (mean + mean_c);
        KahanAdd(delta / count, mean, mean_c);
        KahanAdd(delta * (values[i] - (mean + mean_c)), aux, aux_c);
      }
      double variance = (aux + aux_c) / count;
      out->Set(step, root_ ? std::sqrt(variance) : variance);
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
