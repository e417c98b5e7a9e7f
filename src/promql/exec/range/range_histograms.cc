#include "promql/exec/range/range_histograms.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "promql/exec/histograms/histogram_notes.h"
#include "promql/exec/histograms/histogram_total.h"
#include "promql/exec/range/counter_resets.h"

namespace gauntlet::promql {
namespace {

using Window = std::span<const TimedHistogram>;

bool IsGauge(const TimedHistogram& s) { return s.histogram->reset_hint == ResetHint::kGauge; }

bool IsReset(const TimedHistogram& now, const TimedHistogram& before, bool start_times) {
  return (start_times && IsStartTimeReset(before.start_time_ms, before.time_ms, now.start_time_ms, now.time_ms)) ||
         DetectReset(*now.histogram, *before.histogram);
}

// What a window of at least two histograms rose by.
class Increase {
 public:
  // `resets`: of each sample of the series, whether it is a reset seen from the one before it.
  Increase(Window window, const uint8_t* resets, bool is_counter, bool start_times)
      : window_(window), resets_(resets), is_counter_(is_counter), start_times_(start_times) {}

  // Nothing when the histograms do not fit together; *notes say so.
  std::optional<Histogram> Compute(HistogramNotes* notes) {
    const Histogram& last = *window_.back().histogram;
    notes->not_counter = is_counter_ && (IsGauge(window_.front()) || IsGauge(window_.back()));
    // A reset right after the first sample makes its layout irrelevant.
    Histogram nothing;
    const Histogram* first = window_.front().histogram;
    const bool reset_at_second = is_counter_ && resets_[1] != 0;
    if (reset_at_second) {
      nothing.schema = window_[1].histogram->schema;
      nothing.custom_values = window_[1].histogram->custom_values;
      first = &nothing;
    }
    const bool custom = first->uses_custom_buckets();
    if (last.uses_custom_buckets() != custom) {
      notes->mixed_buckets = true;
      return std::nullopt;
    }
    int32_t schema = std::min(last.schema, first->schema);
    if (is_counter_ && !LookBetween(custom, &schema, notes)) return std::nullopt;
    Histogram h = last;
    if (!custom) ReduceResolution(h, schema);
    if (!notes->Subtract(h, *first)) return Incompatible(notes);
    if (is_counter_) {
      if (reset_at_second && SecondIsResetFrom(nothing) && !notes->Add(h, nothing)) return Incompatible(notes);
      for (size_t i = 2; i < window_.size(); ++i) {
        if (resets_[i] != 0 && !notes->Add(h, *window_[i - 1].histogram)) return Incompatible(notes);
      }
    } else {
      notes->not_gauge = !IsGauge(window_.front()) || !IsGauge(window_.back());
    }
    h.reset_hint = ResetHint::kGauge;
    CompactHistogram(h);
    return h;
  }

 private:
  // Then nothing else is said.
  static std::optional<Histogram> Incompatible(HistogramNotes* notes) {
    *notes = HistogramNotes{.mixed_buckets = true};
    return std::nullopt;
  }

  bool LookBetween(bool custom, int32_t* schema, HistogramNotes* notes) const {
    for (size_t i = 1; i + 1 < window_.size(); ++i) {
      const Histogram& h = *window_[i].histogram;
      notes->not_counter |= h.reset_hint == ResetHint::kGauge;
      *schema = std::min(*schema, h.schema);
      if (h.uses_custom_buckets() != custom) {
        Incompatible(notes);
        return false;
      }
    }
    return true;
  }

  bool SecondIsResetFrom(const Histogram& nothing) const {
    const TimedHistogram &first = window_[0], &second = window_[1];
    return (start_times_ &&
            IsStartTimeReset(first.start_time_ms, first.time_ms, second.start_time_ms, second.time_ms)) ||
           DetectReset(*second.histogram, nothing);
  }

  const Window window_;
  const uint8_t* const resets_;
  const bool is_counter_, start_times_;
};

class RateOfHistograms {
 public:
  RateOfHistograms(const RangeCall& call, const SeriesWindows& w, bool is_counter, bool is_rate)
      : call_(call), w_(w), is_counter_(is_counter), is_rate_(is_rate), start_times_(w.spec->start_times) {}

  Status Run(Column* out, WorkerScratch* scratch) {
    const auto& samples = w_.histograms.samples;
    std::vector<uint8_t> resets(samples.size());
    for (size_t i = 1; is_counter_ && i < samples.size(); ++i) {
      resets[i] = IsReset(samples[i], samples[i - 1], start_times_);
    }
    HistogramNotes all;
    for (uint32_t step = 0; step < w_.steps(); ++step) {
      if (w_.HistogramCount(step) == 0) continue;
      GN_TRY(scratch->CheckCancelAfter(1000));
      HistogramNotes notes;
      notes.mixed_types = w_.FloatCount(step) > 0;
      if (!notes.mixed_types) {
        const uint32_t lo = w_.histograms.lo[step];
        Window window(samples.data() + lo, w_.histograms.hi[step] - lo);
        std::optional<Histogram> increase;
        if (window.size() > 1) {
          increase = Increase(window, resets.data() + lo, is_counter_, start_times_).Compute(&notes);
          if (increase && is_counter_ && Overlaps(window)) {
            scratch->annotations.StartTimeOverlap(w_.labels.Get(kMetricName), call_.first_arg_pos);
          }
        }
        if (increase || window.size() == 1) Extrapolate(step, window, std::move(increase), &notes, out);
      }
      all.Merge(notes);
    }
    all.Tell(w_.labels, call_.first_arg_pos, &scratch->annotations);
    return Status();
  }

 private:
  bool Overlaps(Window window) const {
    for (size_t i = 1; start_times_ && i < window.size(); ++i) {
      if (StartTimesOverlap(window[i - 1].start_time_ms, window[i - 1].time_ms, window[i].start_time_ms)) return true;
    }
    return false;
  }

  // As ExtrapolatedRate does for floats, with the count of observations in place of the value.
  void Extrapolate(uint32_t step, Window window, std::optional<Histogram> result, HistogramNotes* notes,
                   Column* out) const {
    const int64_t range_end = w_.end_ms(step), range_start = range_end - call_.range_ms;
    const int64_t first_t = window.front().time_ms, last_t = window.back().time_ms;
    const Histogram& first = *window.front().histogram;
    double to_start = static_cast<double>(first_t - range_start) / 1000;
    double to_end = static_cast<double>(range_end - last_t) / 1000;
    double sampled = static_cast<double>(last_t - first_t) / 1000;
    const double average = result ? sampled / static_cast<double>(window.size() - 1) : 0;
    const double threshold = average * 1.1;
    const int64_t start_time = is_counter_ && start_times_ ? window.front().start_time_ms : 0;
    if (start_time != 0 && start_time > range_start && start_time < first_t) {
      // The counter was zero at its start time.
      to_start = 0;
      sampled = static_cast<double>(last_t - start_time) / 1000;
      if (!result) {
        result = first;
      } else if (!notes->Add(*result, first)) {
        return;
      }
    } else if (!result) {
      return;
    } else {
      if (to_start >= threshold) to_start = average / 2;
      if (is_counter_ && result->count > 0 && first.count >= 0) {
        to_start = std::min(to_start, sampled * (first.count / result->count));
      }
    }
    if (to_end >= threshold) to_end = average / 2;
    double factor = 1;
    if (sampled != 0) factor = (sampled + to_start + to_end) / sampled;
    if (is_rate_) factor /= call_.range_seconds;
    MultiplyHistogram(*result, factor);
    out->histograms().push_back({step, std::make_shared<const Histogram>(*std::move(result))});
  }

  const RangeCall& call_;
  const SeriesWindows& w_;
  const bool is_counter_, is_rate_, start_times_;
};

// The last two samples of a window that are not both floats.
std::optional<Histogram> InstantIncrease(const TimedHistogram& before, const TimedHistogram& now, bool is_rate,
                                         bool start_times, HistogramNotes* notes) {
  Histogram h = *now.histogram;
  notes->not_counter = is_rate && (IsGauge(now) || IsGauge(before));
  notes->not_gauge = !is_rate && !(IsGauge(now) && IsGauge(before));
  if (!is_rate || !IsReset(now, before, start_times)) {
    if (!notes->Subtract(h, *before.histogram)) return std::nullopt;
  }
  h.reset_hint = ResetHint::kGauge;
  CompactHistogram(h);
  return h;
}

}  // namespace

SeriesWindows FloatSteps(const SeriesWindows& w, std::vector<uint32_t>* hi) {
  hi->reserve(w.steps());
  // When the query ends meanwhile, those who look at the steps stop before what is missing.
  InBlocks(
      w.steps(), [&w] { return w.Ended(); },
      [&](uint32_t begin, uint32_t end) {
        hi->insert(hi->end(), w.floats.hi + begin, w.floats.hi + end);
        for (uint32_t step = begin; step < end; ++step) {
          if (w.HistogramCount(step) > 0) (*hi)[step] = w.floats.lo[step];
        }
      });
  SeriesWindows out;
  out.scratch = w.scratch;
  out.spec = w.spec;
  out.labels = w.labels;
  out.floats = w.floats;
  out.floats.hi = hi->data();
  return out;
}

Status HistogramRate(const RangeCall& call, const SeriesWindows& w, bool is_counter, bool is_rate, Column* out,
                     WorkerScratch* scratch) {
  return RateOfHistograms(call, w, is_counter, is_rate).Run(out, scratch);
}

bool EndsWithHistogram(const SeriesWindows& w, uint32_t step) {
  if (w.HistogramCount(step) == 0) return false;
  if (w.FloatCount(step) < 2) return true;
  return w.histograms.samples[w.histograms.hi[step] - 1].time_ms > w.floats.times_ms[w.floats.hi[step] - 2];
}

Status HistogramInstantRate(const RangeCall& call, const SeriesWindows& w, bool is_rate, Column* out,
                            WorkerScratch* scratch) {
  const auto& samples = w.histograms.samples;
  HistogramNotes all;
  for (uint32_t step = 0; step < w.steps(); ++step) {
    const uint32_t count = w.HistogramCount(step);
    if (!EndsWithHistogram(w, step) || count + w.FloatCount(step) < 2) continue;
    GN_TRY(scratch->CheckCancelAfter(1000));
    const uint32_t last = w.histograms.hi[step] - 1;
    const bool float_at_end =
        w.FloatCount(step) > 0 && (count < 2 || w.floats.times_ms[w.floats.hi[step] - 1] > samples[last - 1].time_ms);
    HistogramNotes notes;
    notes.mixed_types = float_at_end;
    if (!float_at_end) {
      const TimedHistogram &before = samples[last - 1], &now = samples[last];
      auto h = InstantIncrease(before, now, is_rate, w.spec->start_times, &notes);
      if (h && is_rate) DivideHistogram(*h, static_cast<double>(now.time_ms - before.time_ms) / 1000);
      if (h) out->histograms().push_back({step, std::make_shared<const Histogram>(*std::move(h))});
    }
    all.Merge(notes);
  }
  all.Tell(w.labels, call.first_arg_pos, &scratch->annotations);
  return Status();
}

Status HistogramSumOverTime(const RangeCall& call, const SeriesWindows& w, bool average, Column* out,
                            WorkerScratch* scratch) {
  HistogramNotes all;
  for (uint32_t step = 0; step < w.steps(); ++step) {
    const uint32_t count = w.HistogramCount(step);
    if (count == 0) continue;
    GN_TRY(scratch->CheckCancelAfter(100 * count));
    if (w.FloatCount(step) > 0) {
      all.mixed_types = true;
      continue;
    }
    Window window(w.histograms.samples.data() + w.histograms.lo[step], count);
    HistogramTotal total(*window.front().histogram, average);
    bool compatible = true;
    for (size_t i = 1; compatible && i < window.size(); ++i) compatible = total.Add(*window[i].histogram);
    if (!compatible) {
      all.mixed_buckets = true;
      continue;
    }
    all.aggregation_bounds |= total.bounds_reconciled();
    all.collision |= total.reset_collision();
    out->histograms().push_back({step, std::make_shared<const Histogram>(std::move(total).Finish())});
  }
  all.Tell(w.labels, call.first_arg_pos, &scratch->annotations);
  return Status();
}

void CountTransitions(const SeriesWindows& w, Transition transition, Column* out) {
  const FloatWindows& f = w.floats;
  const auto& h = w.histograms.samples;
  const bool resets = transition == Transition::kReset;
  // before[i]: transitions among the first i + 1 samples of either kind.
  std::vector<uint32_t> before;
  before.reserve(f.size + h.size());
  auto between_floats = [&](size_t i) {
    const double now = f.values[i], previous = f.values[i - 1];
    if (!resets) return now != previous && !(std::isnan(now) && std::isnan(previous));
    return now < previous ||
           (f.start_times_ms != nullptr &&
            IsStartTimeReset(f.start_times_ms[i - 1], f.times_ms[i - 1], f.start_times_ms[i], f.times_ms[i]));
  };
  auto between_histograms = [&](size_t i) {
    return resets ? IsReset(h[i], h[i - 1], w.spec->start_times) : !SameHistogram(*h[i].histogram, *h[i - 1].histogram);
  };
  uint32_t count = 0;
  bool after_float = false;
  for (size_t i = 0, j = 0; i < f.size || j < h.size();) {
    const bool take_float = j == h.size() || (i < f.size && f.times_ms[i] < h[j].time_ms);
    if (!before.empty()) {
      bool differs = take_float != after_float;
      if (!differs) differs = take_float ? between_floats(i) : between_histograms(j);
      count += differs;
    }
    before.push_back(count);
    after_float = take_float;
    take_float ? ++i : ++j;
  }
  for (uint32_t step = 0; step < w.steps(); ++step) {
    const uint32_t lo = f.lo[step] + w.histograms.lo[step], hi = f.hi[step] + w.histograms.hi[step];
    if (lo < hi) out->Set(step, before[hi - 1] - before[lo]);
  }
}

}  // namespace gauntlet::promql
