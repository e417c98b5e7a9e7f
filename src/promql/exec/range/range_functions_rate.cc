// rate, increase, delta, irate, idelta.
//
// A counter's increase is last - first, plus the value before each reset between them. The resets of a series are found
// once; a step adds those inside its window in upstream's order, so that the bits are the same. Where windows are long
// and full of resets (a gauge taken for a counter), their sums slide instead.

#include <algorithm>

#include "promql/exec/range/counter_resets.h"
#include "promql/exec/range/range_function.h"
#include "promql/exec/range/range_histograms.h"
#include "promql/exec/range/sliding.h"
#include "promql/exec/rows/simd.h"

namespace gauntlet::promql {
namespace {

constexpr uint32_t kBlock = 64;

// Whether one of the values is less than the one before it, in front of the first.
GN_WIDE_VECTORS bool AnyFalls(const double* values, uint32_t size) {
  bool any = false;
  for (uint32_t i = 0; i < size; ++i) any |= values[i] < values[static_cast<int64_t>(i) - 1];
  return any;
}

// Positions i at which sample i is a reset seen from sample i - 1.
void FindResets(const FloatWindows& f, std::vector<uint32_t>* resets) {
  resets->clear();
  for (uint32_t begin = 1; begin < f.size; begin += kBlock) {
    const uint32_t end = std::min<uint32_t>(begin + kBlock, static_cast<uint32_t>(f.size));
    if (!AnyFalls(f.values + begin, end - begin)) continue;
    for (uint32_t i = begin; i < end; ++i) {
      if (f.values[i] < f.values[i - 1]) resets->push_back(i);
    }
  }
}

void FindResetsWithStartTimes(const FloatWindows& f, std::vector<uint32_t>* resets) {
  resets->clear();
  for (uint32_t i = 1; i < f.size; ++i) {
    if (f.values[i] < f.values[i - 1] ||
        IsStartTimeReset(f.start_times_ms[i - 1], f.times_ms[i - 1], f.start_times_ms[i], f.times_ms[i])) {
      resets->push_back(i);
    }
  }
}

// Calls fn(step, lo, hi, first, end) for each float window with the range of `resets` beyond its first sample.
template <typename Fn>
void ForEachWindowOfResets(const SeriesWindows& w, const std::vector<uint32_t>& resets, Fn&& fn) {
  uint32_t first = 0, end = 0;
  const uint32_t count = static_cast<uint32_t>(resets.size());
  ForEachFloatWindow(w, [&](uint32_t step, uint32_t lo, uint32_t hi) {
    while (first < count && resets[first] <= lo) ++first;
    end = std::max(end, first);
    while (end < count && resets[end] < hi) ++end;
    fn(step, lo, hi, first, end);
  });
}

// Windows to extrapolate at once, those of the steps of one word of presence, in columns. Times in milliseconds. What
// stands at steps without a window means nothing.
struct WindowBatch {
  static constexpr uint32_t kSize = 64;
  double first[kSize], increase[kSize], to_start[kSize], to_end[kSize], sampled[kSize], gaps[kSize];
};

// `first`: of the window. Everything that is decided per window is a choice between numbers, so that the loop has no
// branches; what comes of a division by zero is not chosen.
template <bool is_counter>
[[gnu::always_inline]] inline void ExtrapolateLoop(const WindowBatch& b, uint32_t size, double divisor, double* out) {
  for (uint32_t i = 0; i < size; ++i) {
    const double sampled = b.sampled[i] / 1000, increase = b.increase[i];
    const double average = sampled / b.gaps[i], threshold = average * 1.1, half = average / 2;
    double to_start = b.to_start[i] / 1000, to_end = b.to_end[i] / 1000;
    to_start = to_start >= threshold ? half : to_start;
    if constexpr (is_counter) {
      // Not beyond the point where the counter would have been zero.
      const double to_zero = sampled * (b.first[i] / increase);
      const bool limits = (increase > 0) & (b.first[i] >= 0) & (to_zero < to_start);
      to_start = limits ? to_zero : to_start;
    }
    to_end = to_end >= threshold ? half : to_end;
    const double whole = (sampled + to_start + to_end) / sampled;
    const double factor = (sampled != 0 ? whole : 1.0) / divisor;
    out[i] = increase * factor;
  }
}
GN_WIDE_VECTORS void ExtrapolateCounters(const WindowBatch& b, uint32_t size, double divisor, double* out) {
  ExtrapolateLoop<true>(b, size, divisor, out);
}
GN_WIDE_VECTORS void ExtrapolateGauges(const WindowBatch& b, uint32_t size, double divisor, double* out) {
  ExtrapolateLoop<false>(b, size, divisor, out);
}

// Extrapolates what windows of at least two samples rose by, without regard to start times.
class Extrapolation {
 public:
  Extrapolation(const RangeCall& call, const SeriesWindows& w, bool is_counter, bool is_rate, Column* out)
      : w_(w),
        range_ms_(call.range_ms),
        divisor_(is_rate ? call.range_seconds : 1),
        is_counter_(is_counter),
        out_(out) {}
  ~Extrapolation() { Flush(0); }

  // Steps ascend.
  void Add(uint32_t step, uint32_t lo, uint32_t hi, double increase) {
    if (hi - lo < 2) return;
    if (step / WindowBatch::kSize != block_) Flush(step / WindowBatch::kSize);
    const FloatWindows& f = w_.floats;
    const int64_t range_end = w_.end_ms(step), first_t = f.times_ms[lo], last_t = f.times_ms[hi - 1];
    const uint32_t i = step % WindowBatch::kSize;
    present_ |= uint64_t{1} << i;
    batch_.first[i] = f.values[lo];
    batch_.increase[i] = increase;
    batch_.to_start[i] = static_cast<double>(first_t - (range_end - range_ms_));
    batch_.to_end[i] = static_cast<double>(range_end - last_t);
    batch_.sampled[i] = static_cast<double>(last_t - first_t);
    batch_.gaps[i] = static_cast<double>(hi - lo - 1);
  }

 private:
  // Ends the word of presence; the next one is `block`.
  void Flush(uint32_t block) {
    if (present_ != 0) {
      const uint32_t begin = block_ * WindowBatch::kSize, size = std::min(WindowBatch::kSize, out_->steps() - begin);
      double* values = out_->values() + begin;
      is_counter_ ? ExtrapolateCounters(batch_, size, divisor_, values)
                  : ExtrapolateGauges(batch_, size, divisor_, values);
      out_->present()[block_] |= present_;
    }
    present_ = 0;
    block_ = block;
  }

  const SeriesWindows& w_;
  const int64_t range_ms_;
  const double divisor_;
  const bool is_counter_;
  Column* out_;
  uint32_t block_ = 0;
  uint64_t present_ = 0;
  WindowBatch batch_ = {};
};

class ExtrapolatedRate : public RangeFunction {
 public:
  ExtrapolatedRate(bool is_counter, bool is_rate) : is_counter_(is_counter), is_rate_(is_rate) {}

  Status Run(const RangeCall& call, const SeriesWindows& w, Column* out, WorkerScratch* scratch) const override {
    if (w.histograms.empty()) return RunFloats(call, w, out, scratch);
    std::vector<uint32_t> hi;
    GN_TRY(RunFloats(call, FloatSteps(w, &hi), out, scratch));
    return HistogramRate(call, w, is_counter_, is_rate_, out, scratch);
  }

 private:
  Status RunFloats(const RangeCall& call, const SeriesWindows& w, Column* out, WorkerScratch* scratch) const {
    const FloatWindows& f = w.floats;
    std::vector<uint32_t>& resets = scratch->indexes;
    resets.clear();
    if (is_counter_ && f.start_times_ms != nullptr) {
      FindResetsWithStartTimes(f, &resets);
      NoteOverlaps(call, w, scratch);
      ForEachIncrease(w, resets, [&](uint32_t step, uint32_t lo, uint32_t hi, double increase) {
        ExtrapolateFromStart(call, w, step, lo, hi, increase, out);
      });
      return Status();
    }
    if (is_counter_) FindResets(f, &resets);
    Extrapolation extrapolation(call, w, is_counter_, is_rate_, out);
    ForEachIncrease(w, resets, [&](uint32_t step, uint32_t lo, uint32_t hi, double increase) {
      extrapolation.Add(step, lo, hi, increase);
    });
    return Status();
  }

  // Calls fn(step, lo, hi, increase) for each float window.
  template <typename Fn>
  static void ForEachIncrease(const SeriesWindows& w, const std::vector<uint32_t>& resets, Fn fn) {
    const FloatWindows& f = w.floats;
    if (resets.empty()) {
      ForEachFloatWindow(
          w, [&](uint32_t step, uint32_t lo, uint32_t hi) { fn(step, lo, hi, f.values[hi - 1] - f.values[lo]); });
      return;
    }
    auto in_order = [&](uint32_t lo, uint32_t hi, uint32_t first, uint32_t end) {
      double increase = f.values[hi - 1] - f.values[lo];
      for (uint32_t r = first; r < end; ++r) increase += f.values[resets[r] - 1];
      return increase;
    };
    if (!WorthSlidingResets(w, resets)) {
      ForEachWindowOfResets(w, resets, [&](uint32_t step, uint32_t lo, uint32_t hi, uint32_t first, uint32_t end) {
        fn(step, lo, hi, in_order(lo, hi, first, end));
      });
      return;
    }
    std::vector<double> lost(resets.size());  // the values before the resets
    for (size_t i = 0; i < lost.size(); ++i) lost[i] = f.values[resets[i] - 1];
    std::vector<uint32_t> risky_counts;
    RiskyValues risky(lost.data(), lost.size(), 1e300, &risky_counts);
    SumFold fold{lost.data()};
    SlidingWindow<SumFold> window(&fold);
    ForEachWindowOfResets(w, resets, [&](uint32_t step, uint32_t lo, uint32_t hi, uint32_t first, uint32_t end) {
      if (!risky.MaySlide(first, end)) return fn(step, lo, hi, in_order(lo, hi, first, end));
      fn(step, lo, hi, f.values[hi - 1] - f.values[lo] + window.Over(first, end).value());
    });
  }

  static bool WorthSlidingResets(const SeriesWindows& w, const std::vector<uint32_t>& resets) {
    constexpr size_t kFew = 16;
    if (resets.size() <= kFew) return false;
    uint64_t seen = 0;
    ForEachWindowOfResets(w, resets,
                          [&](uint32_t, uint32_t, uint32_t, uint32_t first, uint32_t end) { seen += end - first; });
    return seen > 6 * (resets.size() + w.steps());
  }

  // The same for counters whose start times may be known. `result` is the increase.
  void ExtrapolateFromStart(const RangeCall& call, const SeriesWindows& w, uint32_t step, uint32_t lo, uint32_t hi,
                            double result, Column* out) const {
    const FloatWindows& f = w.floats;
    const uint32_t gaps = hi - lo - 1;
    const int64_t range_end = w.end_ms(step), range_start = range_end - call.range_ms;
    const int64_t first_t = f.times_ms[lo], last_t = f.times_ms[hi - 1];
    double to_start = static_cast<double>(first_t - range_start) / 1000;
    double to_end = static_cast<double>(range_end - last_t) / 1000;
    double sampled = static_cast<double>(last_t - first_t) / 1000;
    const double average = gaps > 0 ? sampled / static_cast<double>(gaps) : 0;
    const double threshold = average * 1.1;
    const double first = f.values[lo];

    const int64_t start_time = f.start_times_ms[lo];
    if (start_time != 0 && start_time > range_start && start_time < first_t) {
      // The counter was zero at its start time: nothing to extrapolate on the left.
      to_start = 0;
      sampled = static_cast<double>(last_t - start_time) / 1000;
      result += first;
    } else if (gaps == 0) {
      return;
    } else {
      if (to_start >= threshold) to_start = average / 2;
      double to_zero = to_start;
      if (result > 0 && first >= 0) to_zero = sampled * (first / result);
      if (to_zero < to_start) to_start = to_zero;
    }
    if (to_end >= threshold) to_end = average / 2;
    double factor = 1;
    if (sampled != 0) factor = (sampled + to_start + to_end) / sampled;
    if (is_rate_) factor /= call.range_seconds;
    out->Set(step, result * factor);
  }

  // Once per window that has one.
  static void NoteOverlaps(const RangeCall& call, const SeriesWindows& w, WorkerScratch* scratch) {
    const FloatWindows& f = w.floats;
    std::vector<uint32_t> overlaps;
    for (uint32_t i = 1; i < f.size; ++i) {
      if (StartTimesOverlap(f.start_times_ms[i - 1], f.times_ms[i - 1], f.start_times_ms[i])) overlaps.push_back(i);
    }
    if (overlaps.empty()) return;
    ForEachFloatWindow(w, [&](uint32_t, uint32_t lo, uint32_t hi) {
      auto at = std::upper_bound(overlaps.begin(), overlaps.end(), lo);
      if (at == overlaps.end() || *at >= hi) return;
      scratch->annotations.StartTimeOverlap(w.labels.Get(kMetricName), call.first_arg_pos);
    });
  }

  const bool is_counter_, is_rate_;
};

class InstantRate : public RangeFunction {
 public:
  explicit InstantRate(bool is_rate) : is_rate_(is_rate) {}

  Status Run(const RangeCall& call, const SeriesWindows& w, Column* out, WorkerScratch* scratch) const override {
    const FloatWindows& f = w.floats;
    const bool mixed = !w.histograms.empty();
    ForEachFloatWindow(w, [&](uint32_t step, uint32_t lo, uint32_t hi) {
      if (hi - lo < 2 || (mixed && EndsWithHistogram(w, step))) return;
      const uint32_t last = hi - 1, previous = hi - 2;
      const int64_t interval = f.times_ms[last] - f.times_ms[previous];
      if (interval == 0) return;
      double result = f.values[last];
      bool reset = f.values[last] < f.values[previous] ||
                   (f.start_times_ms != nullptr && IsStartTimeReset(f.start_times_ms[previous], f.times_ms[previous],
                                                                    f.start_times_ms[last], f.times_ms[last]));
      if (!is_rate_ || !reset) result = f.values[last] - f.values[previous];
      if (is_rate_) result /= static_cast<double>(interval) / 1000;
      out->Set(step, result);
    });
    return mixed ? HistogramInstantRate(call, w, is_rate_, out, scratch) : Status();
  }

 private:
  const bool is_rate_;
};

class Resets : public RangeFunction {
 public:
  Status Run(const RangeCall&, const SeriesWindows& w, Column* out, WorkerScratch* scratch) const override {
    if (!w.histograms.empty()) {
      CountTransitions(w, Transition::kReset, out);
      return Status();
    }
    std::vector<uint32_t>& resets = scratch->indexes;
    w.floats.start_times_ms != nullptr ? FindResetsWithStartTimes(w.floats, &resets) : FindResets(w.floats, &resets);
    auto begin = resets.begin(), end = resets.begin();
    SetFloatWindows(w, out, [&](uint32_t, uint32_t lo, uint32_t hi) {
      while (begin != resets.end() && *begin <= lo) ++begin;
      end = std::max(end, begin);
      while (end != resets.end() && *end < hi) ++end;
      return static_cast<double>(end - begin);
    });
    return Status();
  }
};

}  // namespace

std::unique_ptr<RangeFunction> MakeRateFunction(std::string_view name) {
  if (name == "rate") return std::make_unique<ExtrapolatedRate>(true, true);
  if (name == "increase") return std::make_unique<ExtrapolatedRate>(true, false);
  if (name == "delta") return std::make_unique<ExtrapolatedRate>(false, false);
  if (name == "irate") return std::make_unique<InstantRate>(true);
  if (name == "idelta") return std::make_unique<InstantRate>(false);
  if (name == "resets") return std::make_unique<Resets>();
  return nullptr;
}

}  // namespace gauntlet::promql
