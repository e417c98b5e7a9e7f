// deriv, predict_linear, double_exponential_smoothing.
//
// Over long windows the sums of a regression slide (sliding.h): those over times exactly, as integers; those over
// values relative to a time near the window. Smoothing forgets: once a window is longer than what still matters to the
// last bit, one pass over all samples serves all windows. A window with a value that is not finite, or huge, is always
// computed anew, in upstream's order.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "base/float_limits.h"
#include "promql/exec/range/range_function.h"
#include "promql/exec/range/sliding.h"
#include "promql/exec/rows/math.h"
#include "promql/exec/rows/simd.h"

namespace gauntlet::promql {
namespace {

struct Line {
  double slope, intercept;
};

Line LineOf(double n, double sum_x, double sum_y, double sum_xy, double sum_x2) {
  const double covariance = sum_xy - sum_x * sum_y / n;
  const double variance = sum_x2 - sum_x * sum_x / n;
  const double slope = covariance / variance;
  return {slope, sum_y / n - slope * sum_x / n};
}

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
  if (constant) return std::isinf(first) ? Line{kNaN, kNaN} : Line{0, first};
  return LineOf(n, sum_x + c_x, sum_y + c_y, sum_xy + c_xy, sum_x2 + c_x2);
}

// The sums of y and of x y, x being the time in milliseconds since `origin_ms`.
struct RegressionFold {
  struct State {
    CompensatedSum y, xy;
  };
  const FloatWindows& f;
  int64_t origin_ms = 0;
  void Begin(uint32_t, uint32_t hi) { origin_ms = f.times_ms[hi - 1]; }
  void Add(State* s, uint32_t i) const {
    s->y.Add(f.values[i]);
    s->xy.Add(static_cast<double>(f.times_ms[i] - origin_ms) * f.values[i]);
  }
  void AddFront(State* s, uint32_t i) const { Add(s, i); }
  void AddBack(State* s, uint32_t i) const { Add(s, i); }
  State Join(State left, const State& right) const {
    left.y.Add(right.y);
    left.xy.Add(right.xy);
    return left;
  }
};

// Regressions over windows that move forward.
class SlidingRegression {
 public:
  explicit SlidingRegression(const FloatWindows& f)
      : f_(f), fold_{f}, window_(&fold_), x_(f.size + 1), x2_(f.size + 1), same_since_(f.size) {
    for (uint32_t i = 0; i < f.size; ++i) {
      const Wide x = f.times_ms[i] - f.times_ms[0];
      x_[i + 1] = x_[i] + x;
      x2_[i + 1] = x2_[i] + x * x;
      same_since_[i] = i > 0 && f.values[i] == f.values[i - 1] ? same_since_[i - 1] : i;
    }
  }

  // REQUIRES: values finite and not huge; at least two.
  Line Over(uint32_t lo, uint32_t hi, int64_t origin_ms) {
    const RegressionFold::State sums = window_.Over(lo, hi);
    if (same_since_[hi - 1] <= lo) return {0, f_.values[lo]};
    const Wide n = hi - lo, o = origin_ms - f_.times_ms[0];
    const Wide x = x_[hi] - x_[lo], x2 = x2_[hi] - x2_[lo];
    const double sum_x = static_cast<double>(x - n * o) / 1e3;
    const double sum_x2 = static_cast<double>(x2 - 2 * o * x + n * o * o) / 1e6;
    // From the fold's origin to the one wanted.
    const double shift = static_cast<double>(fold_.origin_ms - origin_ms);
    CompensatedSum xy = sums.xy;
    xy.Add(shift * sums.y.sum);
    xy.Add(shift * sums.y.c);
    return LineOf(static_cast<double>(hi - lo), sum_x, sums.y.value(), xy.value() / 1e3, sum_x2);
  }

 private:
  using Wide = __int128;
  const FloatWindows& f_;
  RegressionFold fold_;
  SlidingWindow<RegressionFold> window_;
  std::vector<Wide> x_, x2_;          // sums over the samples before each, exact
  std::vector<uint32_t> same_since_;  // the first sample of the run of equal values that ends here
};

class LinearFunction : public RangeFunction {
 public:
  explicit LinearFunction(bool predict) : predict_(predict) {}

  Status Run(const RangeCall& call, const SeriesWindows& w, Column* out, WorkerScratch* scratch) const override {
    NoteIgnoredHistograms(call, w, 1, scratch);
    const FloatWindows& f = w.floats;
    std::optional<SlidingRegression> sliding;
    if (WorthSliding(w)) sliding.emplace(f);
    RiskyValues risky(f.values, sliding ? f.size : 0, 1e140, &scratch->indexes);
    return ForEachLongWindow(w, scratch, [&](uint32_t step, uint32_t lo, uint32_t hi) {
      if (hi - lo < 2) return;
      const int64_t origin = predict_ ? w.spec->grid.time_ms(step) : f.times_ms[lo];
      const Line line =
          sliding && risky.MaySlide(lo, hi) ? sliding->Over(lo, hi, origin) : Regression(f, lo, hi, origin);
      out->Set(step, predict_ ? line.slope * call.args[0][step] + line.intercept : line.slope);
    });
  }

 private:
  const bool predict_;
};

// Upstream's recurrence, one sample after the other.
struct Smoother {
  double smoothing, trend;
  double before = 0, now = 0, slope = 0;
  uint32_t begin = 0, next = 0;  // samples [begin, next) are in
  void Start(const double* v, uint32_t lo) {
    begin = lo;
    next = lo + 1;
    before = 0;
    now = v[lo];
    slope = v[lo + 1] - v[lo];
  }
  void AdvanceTo(const double* v, uint32_t hi) {
    for (; next < hi; ++next) {
      const double x = smoothing * v[next];
      if (next > begin + 1) slope = trend * (now - before) + (1 - trend) * slope;
      const double y = (1 - smoothing) * (now + slope);
      before = std::exchange(now, x + y);
    }
  }
};

// Several windows side by side, each as Smoother does it: one recurrence alone mostly waits for itself.
class SmootherLanes {
 public:
  SmootherLanes(const double* values, double smoothing, double trend, Column* out)
      : values_(values), smoothing_(smoothing), trend_(trend), out_(out) {}
  ~SmootherLanes() { Flush(); }

  // REQUIRES: hi - lo >= 2
  void Add(uint32_t step, uint32_t lo, uint32_t hi) {
    steps_[size_] = step;
    from_[size_] = values_ + lo;
    lengths_[size_] = hi - lo;
    if (++size_ == kLanes) Flush();
  }

 private:
  static constexpr uint32_t kLanes = 8;
  struct State {
    double before[kLanes], now[kLanes], slope[kLanes];
  };

  // Samples [begin, end) of each window, all but the first two.
  GN_WIDE_VECTORS static void Advance(const double* const* from, uint32_t begin, uint32_t end, double smoothing,
                                      double trend, State* state) {
    for (uint32_t i = begin; i < end; ++i) {
      double v[kLanes];
      for (uint32_t l = 0; l < kLanes; ++l) v[l] = from[l][i];
      for (uint32_t l = 0; l < kLanes; ++l) {
        const double x = smoothing * v[l];
        state->slope[l] = trend * (state->now[l] - state->before[l]) + (1 - trend) * state->slope[l];
        const double y = (1 - smoothing) * (state->now[l] + state->slope[l]);
        state->before[l] = state->now[l];
        state->now[l] = x + y;
      }
    }
  }

  void Flush() {
    if (size_ == 0) return;
    for (uint32_t l = size_; l < kLanes; ++l) {
      from_[l] = from_[0];
      lengths_[l] = lengths_[0];
    }
    State state;
    for (uint32_t l = 0; l < kLanes; ++l) {
      const double first = from_[l][0], slope = from_[l][1] - first;
      state.before[l] = first;
      state.now[l] = smoothing_ * from_[l][1] + (1 - smoothing_) * (first + slope);
      state.slope[l] = slope;
    }
    const uint32_t common = *std::min_element(lengths_, lengths_ + kLanes);
    Advance(from_, 2, common, smoothing_, trend_, &state);
    for (uint32_t l = 0; l < size_; ++l) {
      Smoother rest{smoothing_, trend_, state.before[l], state.now[l], state.slope[l], 0, common};
      rest.AdvanceTo(from_[l], lengths_[l]);
      out_->Set(steps_[l], rest.now);
    }
    size_ = 0;
  }

  const double* const values_;
  const double smoothing_, trend_;
  Column* const out_;
  uint32_t size_ = 0;
  uint32_t steps_[kLanes], lengths_[kLanes];
  const double* from_[kLanes];
};

// After so many samples the state before them counts for less than 1e-22 of itself: powers of the recurrence's matrix.
uint32_t SamplesRemembered(double smoothing, double trend) {
  double a = 1 - smoothing, b = 1 - smoothing, c = -trend * smoothing, d = 1 - trend * smoothing;
  for (uint32_t n = 1; n < (1u << 30); n *= 2) {
    if (std::fabs(a) + std::fabs(b) + std::fabs(c) + std::fabs(d) < 1e-22) return n;
    const double aa = a * a + b * c, ab = a * b + b * d, ac = c * a + d * c, ad = c * b + d * d;
    a = aa;
    b = ab;
    c = ac;
    d = ad;
  }
  return ~uint32_t{0};
}

bool AllTheSame(const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(), [&](double v) { return v == values[0]; });
}

// The smoother that goes on from window to window, and how large what it has seen was.
struct SharedSmoother {
  Smoother smoother;
  double largest = 0;
  uint32_t seen = 0;

  SharedSmoother(const double* v, uint32_t lo, double smoothing, double trend) : smoother{smoothing, trend}, seen(lo) {
    smoother.Start(v, lo);
  }
  void AdvanceTo(const double* v, uint32_t hi) {
    smoother.AdvanceTo(v, hi);
    for (; seen < hi; ++seen) largest = std::max(largest, std::fabs(v[seen]));
  }
  // Whether what came before the window is lost in the rounding of a sum over it.
  bool Forgot(const double* v) const {
    return std::max(std::fabs(v[seen - 1]), std::fabs(v[seen - 2])) >= 1e-8 * largest;
  }
};

class DoubleExponentialSmoothing : public RangeFunction {
 public:
  Status Run(const RangeCall& call, const SeriesWindows& w, Column* out, WorkerScratch* scratch) const override {
    NoteIgnoredHistograms(call, w, 1, scratch);
    const double* v = w.floats.values;
    const bool same = AllTheSame(call.args[0]) && AllTheSame(call.args[1]), slide = same && WorthSliding(w);
    std::optional<SmootherLanes> lanes;
    RiskyValues risky(v, slide ? w.floats.size : 0, 1e300, &scratch->indexes);
    std::optional<SharedSmoother> shared;
    uint32_t remembered = 0;
    for (uint32_t step = 0; step < w.steps(); ++step) {
      if (w.FloatCount(step) + w.HistogramCount(step) == 0) continue;
      const double smoothing = call.args[0][step], trend = call.args[1][step];
      if (smoothing <= 0 || smoothing >= 1) return BadFactor("smoothing", "sf", smoothing);
      if (trend <= 0 || trend >= 1) return BadFactor("trend", "tf", trend);
      const uint32_t lo = w.floats.lo[step], hi = w.floats.hi[step];
      if (hi - lo < 2) continue;
      if (slide && remembered == 0) remembered = SamplesRemembered(smoothing, trend);
      if (slide && hi - lo - 2 >= remembered && !risky.Any(lo, hi)) {
        if (!shared || risky.Any(shared->smoother.begin, hi)) shared.emplace(v, lo, smoothing, trend);
        GN_TRY(scratch->CheckCancelAfter(hi - shared->seen));
        shared->AdvanceTo(v, hi);
        if (shared->Forgot(v)) {
          out->Set(step, shared->smoother.now);
          continue;
        }
      }
      GN_TRY(scratch->CheckCancelAfter(hi - lo));
      if (same) {
        if (!lanes) lanes.emplace(v, smoothing, trend, out);
        lanes->Add(step, lo, hi);
        continue;
      }
      Smoother own{smoothing, trend};
      own.Start(v, lo);
      own.AdvanceTo(v, hi);
      out->Set(step, own.now);
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
