// min, max, quantile, mad over time, and the times of the extrema.

#include <algorithm>
#include <cmath>
#include <optional>

#include "promql/exec/range/range_function.h"
#include "promql/exec/range/sliding.h"
#include "promql/exec/range/sliding_quantile.h"
#include "promql/exec/rows/math.h"

namespace gauntlet::promql {
namespace {

enum class Extremum { kMin, kMax };

// NaN loses against any number; of equals the first stays, or the last when its time is wanted.
template <Extremum kWhich>
bool Replaces(double candidate, double best, bool on_equal) {
  if (std::isnan(best)) return true;
  if (on_equal && candidate == best) return true;
  return kWhich == Extremum::kMax ? candidate > best : candidate < best;
}

template <Extremum kWhich>
class ExtremumOverTime : public RangeFunction {
 public:
  explicit ExtremumOverTime(bool time) : time_(time) {}

  Status Run(const RangeCall& call, const SeriesWindows& w, Column* out, WorkerScratch* scratch) const override {
    NoteIgnoredHistograms(call, w, 1, scratch);
    const FloatWindows& f = w.floats;
    uint64_t seen = 0;
    ForEachFloatWindow(w, [&](uint32_t, uint32_t lo, uint32_t hi) { seen += hi - lo; });
    auto time_of = [&](uint32_t at) { return static_cast<double>(f.times_ms[at]) / 1000; };
    const bool slide = seen > 6 * (f.size + w.steps());
    if (!time_) {
      slide ? SlideValues(w, out, scratch) : LookAtValues(w, out);
      return Status();
    }
    if (!slide) {
      SetFloatWindows(w, out, [&](uint32_t, uint32_t lo, uint32_t hi) {
        uint32_t best = lo;
        for (uint32_t i = lo + 1; i < hi; ++i) {
          if (Replaces<kWhich>(f.values[i], f.values[best], true)) best = i;
        }
        return time_of(best);
      });
      return Status();
    }
    // A queue of candidates: each beats all samples after it, up to the next candidate.
    std::vector<uint32_t>& queue = scratch->indexes;
    queue.clear();
    size_t head = 0;
    uint32_t next = 0;
    SetFloatWindows(w, out, [&](uint32_t, uint32_t lo, uint32_t hi) {
      if (next < lo) {
        queue.clear();
        head = 0;
        next = lo;
      }
      for (; next < hi; ++next) {
        while (queue.size() > head && Replaces<kWhich>(f.values[next], f.values[queue.back()], true)) queue.pop_back();
        queue.push_back(next);
      }
      while (queue[head] < lo) ++head;
      return time_of(queue[head]);
    });
    return Status();
  }

 private:
  // The better of two values that follow each other. Without branches, which could not be foreseen.
  static double Better(double first, double second) {
    const bool replaces = (first != first) | (kWhich == Extremum::kMax ? second > first : second < first);
    return replaces ? second : first;
  }

  static void LookAtValues(const SeriesWindows& w, Column* out) {
    const double* values = w.floats.values;
    SetFloatWindows(w, out, [&](uint32_t, uint32_t lo, uint32_t hi) {
      double best = values[lo];
      for (uint32_t i = lo + 1; i < hi; ++i) best = Better(best, values[i]);
      return best;
    });
  }

  // The best of [lo, hi), which is not empty, from four parts at once: one comparison after the other takes longer.
  static double Best(const double* values, uint32_t lo, uint32_t hi) {
    const uint32_t part = (hi - lo) / 4;
    double best = values[lo];
    uint32_t next = lo + 1;
    if (part > 1) {
      const double *a = values + lo, *b = a + part, *c = b + part, *d = c + part;
      double best_b = b[0], best_c = c[0], best_d = d[0];
      for (uint32_t i = 1; i < part; ++i) {
        best = Better(best, a[i]);
        best_b = Better(best_b, b[i]);
        best_c = Better(best_c, c[i]);
        best_d = Better(best_d, d[i]);
      }
      best = Better(Better(best, best_b), Better(best_c, best_d));
      next = lo + 4 * part;
    }
    for (; next < hi; ++next) best = Better(best, values[next]);
    return best;
  }

  // As SlidingWindow has it: the best of all suffixes left of a boundary, and of all that is right of it.
  static void SlideValues(const SeriesWindows& w, Column* out, WorkerScratch* scratch) {
    const double* values = w.floats.values;
    const uint32_t last_lo = w.last_lo();
    std::vector<double>& left = scratch->doubles;
    uint32_t base = 0, boundary = 0, right_end = 0;
    double right = 0;
    SetFloatWindows(w, out, [&](uint32_t, uint32_t lo, uint32_t hi) {
      if (lo >= boundary) {
        base = lo;
        boundary = right_end = hi;
        const uint32_t last = std::min(hi - 1, last_lo);
        left.resize(last + 1 - lo);
        double best = left[last - lo] = Best(values, last, hi);
        for (uint32_t i = last; i-- > lo;) left[i - base] = best = Better(values[i], best);
      }
      if (right_end < hi && right_end == boundary) right = values[right_end++];
      for (; right_end < hi; ++right_end) right = Better(right, values[right_end]);
      return right_end > boundary ? Better(left[lo - base], right) : left[lo - base];
    });
  }

  const bool time_;
};

class QuantileOverTime : public RangeFunction {
 public:
  Status Run(const RangeCall& call, const SeriesWindows& w, Column* out, WorkerScratch* scratch) const override {
    NoteIgnoredHistograms(call, w, 1, scratch);
    std::vector<double>& window = scratch->doubles;
    std::optional<SlidingQuantile> sliding;
    if (WorthSliding(w)) sliding.emplace(w.floats.values, static_cast<uint32_t>(w.floats.size));
    return ForEachLongWindow(w, scratch, [&](uint32_t step, uint32_t lo, uint32_t hi) {
      double q = call.args[0][step];
      if (std::isnan(q) || q < 0 || q > 1) scratch->annotations.InvalidQuantile(q, call.first_arg_pos);
      if (sliding) return out->Set(step, sliding->Over(lo, hi, q));
      window.assign(w.floats.values + lo, w.floats.values + hi);
      out->Set(step, Quantile(q, window));
    });
  }
};

// The median of the distances to the median.
class MadOverTime : public RangeFunction {
 public:
  Status Run(const RangeCall& call, const SeriesWindows& w, Column* out, WorkerScratch* scratch) const override {
    NoteIgnoredHistograms(call, w, 1, scratch);
    std::vector<double>& window = scratch->doubles;
    return ForEachLongWindow(w, scratch, [&](uint32_t step, uint32_t lo, uint32_t hi) {
      window.assign(w.floats.values + lo, w.floats.values + hi);
      if (std::any_of(window.begin(), window.end(), [](double v) { return std::isnan(v); })) {
        return out->Set(step, std::numeric_limits<double>::quiet_NaN());
      }
      double median = Quantile(0.5, window);
      for (double& v : window) v = std::fabs(v - median);
      out->Set(step, Quantile(0.5, window));
    });
  }
};

}  // namespace

std::unique_ptr<RangeFunction> MakeExtremaFunction(std::string_view name) {
  if (name == "min_over_time") return std::make_unique<ExtremumOverTime<Extremum::kMin>>(false);
  if (name == "max_over_time") return std::make_unique<ExtremumOverTime<Extremum::kMax>>(false);
  if (name == "ts_of_min_over_time") return std::make_unique<ExtremumOverTime<Extremum::kMin>>(true);
  if (name == "ts_of_max_over_time") return std::make_unique<ExtremumOverTime<Extremum::kMax>>(true);
  if (name == "quantile_over_time") return std::make_unique<QuantileOverTime>();
  if (name == "mad_over_time") return std::make_unique<MadOverTime>();
  return nullptr;
}

}  // namespace gauntlet::promql
