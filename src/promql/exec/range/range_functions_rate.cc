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

// Calls fn(step, first, end) for each float window with the range of `resets` beyond its first sample.
template <typename Fn>
void ForEachWindowOfResets(const SeriesWindows& w, const std::vector<uint32_t>& resets, Fn&& fn) {
  uint32_t first = 0, end = 0;
  const uint32_t count = static_cast<uint32_t>(resets.size());
  ForEachFloatWindow(w, [&](uint32_t step, uint32_t lo, uint32_t hi) {
    while (first < count && resets[first] <= lo) ++first;
    end = std::max(end, first);
    while (end < count && resets[end] < hi) ++end;
    fn(step, first, end);
  });
}

// Windows to extrapolate at once, in columns. Times in seconds. Of windows with fewer than two samples it has some
// numbers that mean nothing.
struct WindowBatch {
  static constexpr uint32_t kMax = 2 * kBlock;
  uint32_t size;
  double first[kMax], to_start[kMax], to_end[kMax], sampled[kMax], gaps[kMax];
};

// 1/1000 as the sum of two numbers, the first with so few bits that its product with a whole number of up to 31 bits is
// exact. What the second product and the sum lose is too little to round to another number than a division by 1000
// would: that quotient is never so near the middle between two.
constexpr double kCoarseThousandth = 0x1.0624dp-10, kFineThousandth = (1 - 1000 * kCoarseThousandth) / 1000;

double Seconds(int64_t ms) {
  const auto v = static_cast<double>(ms);
  return 0 <= ms && ms < int64_t{1} << 31 ? v * kCoarseThousandth + v * kFineThousandth : v / 1000;
}

bool IsLong(uint32_t lo, uint32_t hi) { return hi - lo >= 2; }

// Whether all of some windows are.
GN_WIDE_VECTORS bool AreLong(const uint32_t* lo, const uint32_t* hi, uint32_t size) {
  bool all = true;
  for (uint32_t i = 0; i < size; ++i) all &= hi[i] - lo[i] >= 2;
  return all;
}

// Where the windows of some steps begin, as numbers that wrap around: only their differences count.
struct RegularWindows {
  uint32_t first_ms;  // the first sample, seen from the start of the first window
  uint32_t interval_ms, step_ms, range_ms;
};

// The times of samples at a regular interval, from their places.
GN_WIDE_VECTORS void FillRegularTimes(const uint32_t* lo, const uint32_t* hi, RegularWindows w, WindowBatch* b) {
  for (uint32_t i = 0; i < b->size; ++i) {
    const uint32_t gaps = hi[i] - lo[i] - 1, sampled = gaps * w.interval_ms;
    const uint32_t to_start = w.first_ms + lo[i] * w.interval_ms - i * w.step_ms;
    const double sampled_ms = static_cast<int32_t>(sampled), to_start_ms = static_cast<int32_t>(to_start);
    const double to_end_ms = static_cast<int32_t>(w.range_ms - to_start - sampled);
    b->gaps[i] = static_cast<int32_t>(gaps);
    b->sampled[i] = sampled_ms * kCoarseThousandth + sampled_ms * kFineThousandth;
    b->to_start[i] = to_start_ms * kCoarseThousandth + to_start_ms * kFineThousandth;
    b->to_end[i] = to_end_ms * kCoarseThousandth + to_end_ms * kFineThousandth;
  }
}

// The times of any samples.
void FillTimes(const SeriesWindows& w, uint32_t begin, WindowBatch* b) {
  const FloatWindows& f = w.floats;
  for (uint32_t i = 0; i < b->size; ++i) {
    const uint32_t lo = f.lo[begin + i], hi = f.hi[begin + i];
    if (!IsLong(lo, hi)) continue;
    const int64_t first_ms = f.times_ms[lo], last_ms = f.times_ms[hi - 1];
    b->gaps[i] = static_cast<double>(hi - lo - 1);
    b->sampled[i] = Seconds(last_ms - first_ms);
    b->to_start[i] = Seconds(first_ms - w.start_ms(begin + i));
    b->to_end[i] = Seconds(w.end_ms(begin + i) - last_ms);
  }
}

// What windows rose by, in `values`, becomes their increase divided by `divisor`. Everything that is decided per window
// is a choice between numbers, so that the loop has no branches; what comes of a division by zero is not chosen.
template <bool from_zero>
[[gnu::always_inline]] inline void ExtrapolateLoop(const WindowBatch& b, double divisor, double* values) {
  for (uint32_t i = 0; i < b.size; ++i) {
    const double sampled = b.sampled[i], increase = values[i];
    const double average = sampled / b.gaps[i], threshold = average * 1.1, half = average / 2;
    double to_start = b.to_start[i] >= threshold ? half : b.to_start[i];
    if constexpr (from_zero) {
      // Not beyond the point where the counter would have been zero.
      const double to_zero = sampled * (b.first[i] / increase);
      const bool limits = (increase > 0) & (b.first[i] >= 0) & (to_zero < to_start);
      to_start = limits ? to_zero : to_start;
    }
    const double to_end = b.to_end[i] >= threshold ? half : b.to_end[i];
    const double whole = (sampled + to_start + to_end) / sampled;
    const double factor = (sampled != 0 ? whole : 1.0) / divisor;
    values[i] = increase * factor;
  }
}
GN_WIDE_VECTORS void ExtrapolateCounters(const WindowBatch& b, double divisor, double* values) {
  // A counter that began with twice what it rose by was zero longer ago than any window is extrapolated: by 1.1 times
  // the time between two samples at most.
  bool from_zero = false;
  for (uint32_t i = 0; i < b.size; ++i) from_zero |= (b.first[i] >= 0) & (b.first[i] < 2 * values[i]);
  from_zero ? ExtrapolateLoop<true>(b, divisor, values) : ExtrapolateLoop<false>(b, divisor, values);
}
GN_WIDE_VECTORS void ExtrapolateGauges(const WindowBatch& b, double divisor, double* values) {
  ExtrapolateLoop<false>(b, divisor, values);
}

// Calls fn(begin, end) for blocks of steps that fit a batch, until the query is over.
template <typename Fn>
void ForEachBatch(const SeriesWindows& w, Fn&& fn) {
  for (uint32_t begin = 0; begin < w.steps(); begin += WindowBatch::kMax) {
    const uint32_t end = std::min(begin + WindowBatch::kMax, w.steps());
    fn(begin, end);
    if (w.EndedAt(end - 1)) return;
  }
}

// Sets what the windows rose by from their first to their last sample, for those that are long.
void SetRises(const SeriesWindows& w, Column* out) {
  const FloatWindows& f = w.floats;
  double* rises = out->values();
  ForEachBatch(w, [&](uint32_t begin, uint32_t end) {
    if (AreLong(f.lo + begin, f.hi + begin, end - begin)) {
      for (uint32_t i = begin; i < end; ++i) rises[i] = f.values[f.hi[i] - 1] - f.values[f.lo[i]];
      return out->SetPresent(begin, end);
    }
    for (uint32_t i = begin; i < end; ++i) {
      if (IsLong(f.lo[i], f.hi[i])) out->Set(i, f.values[f.hi[i] - 1] - f.values[f.lo[i]]);
    }
  });
}

// Makes increases of the rises that SetRises has set.
void Extrapolate(const RangeCall& call, const SeriesWindows& w, bool is_counter, bool is_rate, Column* out) {
  const FloatWindows& f = w.floats;
  const double divisor = is_rate ? call.range_seconds : 1;
  const bool regular = f.interval_ms != 0 && call.range_ms < int64_t{1} << 31;
  WindowBatch batch{};
  ForEachBatch(w, [&](uint32_t begin, uint32_t end) {
    batch.size = end - begin;
    if (is_counter) {
      for (uint32_t i = begin; i < end; ++i) batch.first[i - begin] = IsLong(f.lo[i], f.hi[i]) ? f.values[f.lo[i]] : 0;
    }
    if (regular) {
      const auto wrapped = [](int64_t ms) { return static_cast<uint32_t>(ms); };
      FillRegularTimes(f.lo + begin, f.hi + begin,
                       {wrapped(f.times_ms[0] - w.start_ms(begin)), wrapped(f.interval_ms),
                        wrapped(w.spec->grid.step_ms), wrapped(call.range_ms)},
                       &batch);
    } else {
      FillTimes(w, begin, &batch);
    }
    double* values = out->values() + begin;
    is_counter ? ExtrapolateCounters(batch, divisor, values) : ExtrapolateGauges(batch, divisor, values);
  });
}

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
      ExtrapolateFromStarts(call, w, resets, out);
      return Status();
    }
    if (is_counter_) FindResets(f, &resets);
    SetRises(w, out);
    AddResets(w, resets, out);
    Extrapolate(call, w, is_counter_, is_rate_, out);
    return Status();
  }

  // Adds to what windows rose by the values before the resets inside them.
  static void AddResets(const SeriesWindows& w, const std::vector<uint32_t>& resets, Column* out) {
    if (WorthSlidingResets(w, resets)) return SlideResets(w, resets, out);
    const FloatWindows& f = w.floats;
    uint32_t begin = 0, end = 0;  // the steps that see a reset and the sample before it
    for (uint32_t reset : resets) {
      while (begin < w.steps() && f.hi[begin] <= reset) ++begin;
      end = std::max(begin, end);
      while (end < w.steps() && f.lo[end] < reset) ++end;
      for (uint32_t step = begin; step < end; ++step) out->values()[step] += f.values[reset - 1];
    }
  }

  static void SlideResets(const SeriesWindows& w, const std::vector<uint32_t>& resets, Column* out) {
    std::vector<double> lost(resets.size());  // the values before the resets
    for (size_t i = 0; i < lost.size(); ++i) lost[i] = w.floats.values[resets[i] - 1];
    std::vector<uint32_t> risky_counts;
    RiskyValues risky(lost.data(), lost.size(), 1e300, &risky_counts);
    SumFold fold{lost.data()};
    SlidingWindow<SumFold> window(&fold);
    ForEachWindowOfResets(w, resets, [&](uint32_t step, uint32_t first, uint32_t end) {
      double& rise = out->values()[step];
      if (risky.MaySlide(first, end)) {
        rise += window.Over(first, end).value();
      } else {
        for (uint32_t i = first; i < end; ++i) rise += lost[i];
      }
    });
  }

  static bool WorthSlidingResets(const SeriesWindows& w, const std::vector<uint32_t>& resets) {
    constexpr size_t kFew = 16;
    if (resets.size() <= kFew) return false;
    uint64_t seen = 0;
    ForEachWindowOfResets(w, resets, [&](uint32_t, uint32_t first, uint32_t end) { seen += end - first; });
    return seen > 6 * (resets.size() + w.steps());
  }

  // The same for counters whose start times may be known.
  void ExtrapolateFromStarts(const RangeCall& call, const SeriesWindows& w, const std::vector<uint32_t>& resets,
                             Column* out) const {
    const FloatWindows& f = w.floats;
    double* rises = out->values();
    ForEachFloatWindow(w,
                       [&](uint32_t step, uint32_t lo, uint32_t hi) { rises[step] = f.values[hi - 1] - f.values[lo]; });
    AddResets(w, resets, out);
    ForEachFloatWindow(w, [&](uint32_t step, uint32_t lo, uint32_t hi) {
      ExtrapolateFromStart(call, w, step, lo, hi, rises[step], out);
    });
  }

  // `result` is what the window rose by.
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
