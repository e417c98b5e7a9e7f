// deriv, predict_linear, double_exponential_smoothing.

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <utility>

#include "promql/exec/math.h"
#include "promql/exec/range_function.h"

namespace gauntlet::promql {
namespace {

struct Line {
  double slope, intercept;
};

// Least squares over samples [lo, hi); the intercept is at `origin_ms`.
Line Regression(const FloatWindows& f, uint32_t lo, uint32_t hi, int64_t origin_ms) {
  double n = 0, sum_x = 0, c_x = 0, sum_y = 0, c_y = 0, sum_xy = 0, c_xy = 0, sum_x2 = 0, c_x2 = 0;
  const double first = f.values[lo];
  bool constant = true;
  for (uint32_t i = lo; i < hi; ++i) {
    const double y = f.values[i];
    if (constant && i > lo && y != first) constant = false;
    n += 1;
    const double x = static_cast<double>(f.times_ms[i] - origin_ms) / 1e3;
    KahanAdd(x, sum_x, c_x);
    KahanAdd(y, sum_y, c_y);
    KahanAdd(x * y, sum_xy, c_xy);
    KahanAdd(x * x, sum_x2, c_x2);
  }
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  if (constant) return std::isinf(first) ? Line{kNaN, kNaN} : Line{0, first};
  sum_x += c_x;
  sum_y += c_y;
  sum_xy += c_xy;
  sum_x2 += c_x2;
  const double covariance = sum_xy - sum_x * sum_y / n;
  const double variance = sum_x2 - sum_x * sum_x / n;
  const double slope = covariance / variance;
  return {slope, sum_y / n - slope * sum_x / n};
}

class LinearFunction : public RangeFunction {
 public:
  explicit LinearFunction(bool predict) : predict_(predict) {}

  Status Run(const RangeCall& call, const SeriesWindows& w, Column* out, WorkerScratch* scratch) const override {
    NoteIgnoredHistograms(call, w, 1, scratch);
    const FloatWindows& f = w.floats;
    return ForEachLongWindow(w, scratch, [&](uint32_t step, uint32_t lo, uint32_t hi) {
      if (hi - lo < 2) return;
      if (predict_) {
        Line line = Regression(f, lo, hi, w.spec->grid.time_ms(step));
        out->Set(step, line.slope * call.args[0][step] + line.intercept);
      } else {
        out->Set(step, Regression(f, lo, hi, f.times_ms[lo]).slope);
      }
    });
  }

 private:
  const bool predict_;
};

class DoubleExponentialSmoothing : public RangeFunction {
 public:
  Status Run(const RangeCall& call, const SeriesWindows& w, Column* out, WorkerScratch* scratch) const override {
    NoteIgnoredHistograms(call, w, 1, scratch);
    const double* v = w.floats.values;
    for (uint32_t step = 0; step < w.steps(); ++step) {
      if (w.FloatCount(step) + w.HistogramCount(step) == 0) continue;
      const double smoothing = call.args[0][step], trend = call.args[1][step];
      if (smoothing <= 0 || smoothing >= 1) return BadFactor("smoothing", "sf", smoothing);
      if (trend <= 0 || trend >= 1) return BadFactor("trend", "tf", trend);
      const uint32_t lo = w.floats.lo[step], hi = w.floats.hi[step];
      if (hi - lo < 2) continue;
      GN_TRY(scratch->CheckCancelAfter(hi - lo));
      double s0 = 0, s1 = v[lo], b = v[lo + 1] - v[lo];
      for (uint32_t i = lo + 1; i < hi; ++i) {
        const double x = smoothing * v[i];
        if (i > lo + 1) b = trend * (s1 - s0) + (1 - trend) * b;
        const double y = (1 - smoothing) * (s1 + b);
        s0 = std::exchange(s1, x + y);
      }
      out->Set(step, s1);
    }
    return Status();
  }

 private:
  static Status BadFactor(std::string_view name, std::string_view symbol, double got) {
    return Status(Code::kInvalid, fmt::format("invalid {} factor. Expected: 0 < {} < 1, got: {}", name, symbol,
                                              std::isfinite(got) ? fmt::format("{:f}", got) : FormatG(got)));
  }
};

}  // namespace

std::unique_ptr<RangeFunction> MakeRegressionFunction(std::string_view name) {
  if (name == "deriv") return std::make_unique<LinearFunction>(false);
  if (name == "predict_linear") return std::make_unique<LinearFunction>(true);
  if (name == "double_exponential_smoothing") return std::make_unique<DoubleExponentialSmoothing>();
  return nullptr;
}

}  // namespace gauntlet::promql
