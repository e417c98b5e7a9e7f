#include "promql/exec/range/extended_histograms.h"

#include <algorithm>
#include <memory>
#include <span>
#include <utility>

namespace gauntlet::promql {
namespace {

using Window = std::span<const TimedHistogram>;

bool IsGauge(const Histogram& h) { return h.reset_hint == ResetHint::kGauge; }

// On the line from `a` to `b`. A counter that was reset between them starts from nothing.
std::optional<Histogram> Interpolate(const TimedHistogram& a, const TimedHistogram& b, int64_t t, bool is_counter,
                                     HistogramNotes* notes) {
  if (t == a.time_ms) return *a.histogram;
  Histogram h = *b.histogram;
  if (t == b.time_ms) return h;
  const double fraction = static_cast<double>(t - a.time_ms) / static_cast<double>(b.time_ms - a.time_ms);
  if (is_counter && DetectReset(*b.histogram, *a.histogram)) {
    MultiplyHistogram(h, fraction);
    return h;
  }
  if (!notes->Subtract(h, *a.histogram)) return std::nullopt;
  MultiplyHistogram(h, fraction);
  if (!notes->Add(h, *a.histogram)) return std::nullopt;
  return h;
}

// Samples in time order; the first that is not before `t`.
size_t FirstFrom(Window window, int64_t t) {
  auto at = std::partition_point(window.begin(), window.end(), [t](const TimedHistogram& s) { return s.time_ms < t; });
  return static_cast<size_t>(at - window.begin());
}

class Extended {
 public:
  Extended(Window window, int64_t start_ms, int64_t end_ms, bool is_counter, bool smoothed)
      : window_(window), start_ms_(start_ms), end_ms_(end_ms), is_counter_(is_counter), smoothed_(smoothed) {}

  std::optional<Histogram> Increase(HistogramNotes* notes) {
    if (!FindEnds() || !Validate(notes)) return std::nullopt;
    std::optional<Histogram> left = Left(notes);
    if (!left) return std::nullopt;
    std::optional<Histogram> right = Right(notes);
    if (!right) return std::nullopt;
    notes->not_gauge |= !is_counter_ && !(IsGauge(*left) && IsGauge(*right));
    Histogram result = *right;
    if (!notes->Subtract(result, *left)) return std::nullopt;
    if (is_counter_ && !Correct(*left, *right, &result, notes)) return std::nullopt;
    return result;
  }

 private:
  // The samples that stand for the ends; false when none lies in the range.
  bool FindEnds() {
    const size_t behind = window_.size() - 1;
    first_ = FirstFrom(window_.first(behind), start_ms_ + 1);
    if (first_ > 0) --first_;
    last_ = smoothed_ ? FirstFrom(window_.first(behind), end_ms_) : behind;
    return window_[last_].time_ms > start_ms_ && !(smoothed_ && window_[first_].time_ms > end_ms_);
  }

  bool Validate(HistogramNotes* notes) const {
    for (size_t i = first_; i <= last_; ++i) {
      const Histogram& h = *window_[i].histogram;
      if (h.uses_custom_buckets() != window_[first_].histogram->uses_custom_buckets()) {
        notes->mixed_buckets = true;
        return false;
      }
      notes->not_counter |= is_counter_ && IsGauge(h);
    }
    return true;
  }

  bool InterpolatesLeft() const { return smoothed_ && window_[first_].time_ms < start_ms_; }

  std::optional<Histogram> Left(HistogramNotes* notes) const {
    if (!InterpolatesLeft()) return *window_[first_].histogram;
    return Interpolate(window_[first_], window_[first_ + 1], start_ms_, is_counter_, notes);
  }
  std::optional<Histogram> Right(HistogramNotes* notes) const {
    if (!smoothed_ || last_ == 0 || window_[last_].time_ms <= end_ms_) return *window_[last_].histogram;
    return Interpolate(window_[last_ - 1], window_[last_], end_ms_, is_counter_, notes);
  }

  // Adds what was lost by resets between the ends. False when histograms do not fit together.
  bool Correct(const Histogram& left, const Histogram& right, Histogram* result, HistogramNotes* notes) const {
    size_t next = first_ + 1;
    const Histogram* previous = &left;
    if (InterpolatesLeft() && DetectReset(*window_[next].histogram, *window_[first_].histogram)) {
      // The interpolation has seen this one already.
      previous = window_[next].histogram;
      ++next;
    }
    if (next > last_) return true;
    std::optional<Histogram> correction;
    auto add = [&](const Histogram& lost) {
      if (correction) return notes->Add(*correction, lost);
      correction = lost;
      return true;
    };
    // The last sample is `right`, or gave it its hint.
    for (; next < last_; ++next) {
      const Histogram& now = *window_[next].histogram;
      if (DetectReset(now, *previous) && !add(*previous)) return false;
      previous = &now;
    }
    if (DetectReset(right, *previous) && !add(*previous)) return false;
    return !correction || notes->Add(*result, *correction);
  }

  const Window window_;
  const int64_t start_ms_, end_ms_;
  const bool is_counter_, smoothed_;
  size_t first_ = 0, last_ = 0;
};

Window WindowAt(const SeriesWindows& w, uint32_t step) {
  return Window(w.histograms.samples).subspan(w.histograms.lo[step], w.HistogramCount(step));
}

}  // namespace

Status ExtendedHistogramRate(const RangeCall& call, const SeriesWindows& w, bool is_counter, bool is_rate,
                             bool smoothed, Column* out, WorkerScratch* scratch) {
  HistogramNotes notes;
  for (uint32_t step = 0; step < w.steps(); ++step) {
    if (w.HistogramCount(step) == 0) continue;
    GN_TRY(scratch->CheckCancelAfter(1000));
    if (w.FloatCount(step) > 0) {
      notes.mixed_types = true;
      continue;
    }
    Extended extended(WindowAt(w, step), w.start_ms(step), w.end_ms(step), is_counter, smoothed);
    std::optional<Histogram> result = extended.Increase(&notes);
    if (!result) continue;
    if (is_rate) DivideHistogram(*result, call.range_seconds);
    result->reset_hint = ResetHint::kGauge;
    CompactHistogram(*result);
    out->histograms().push_back({step, std::make_shared<const Histogram>(*std::move(result))});
  }
  notes.Tell(w.labels, call.first_arg_pos, &scratch->annotations);
  return Status();
}

std::shared_ptr<const Histogram> SmoothHistogram(const SeriesWindows& w, uint32_t step, int64_t t_ms,
                                                 HistogramNotes* notes) {
  const Window window = WindowAt(w, step);
  const size_t next = FirstFrom(window, t_ms);
  if (next < window.size() && window[next].time_ms == t_ms) {
    return std::make_shared<const Histogram>(*window[next].histogram);
  }
  if (next == 0) return nullptr;
  const TimedHistogram& before = window[next - 1];
  std::optional<Histogram> h;
  if (next == window.size()) {
    h = *before.histogram;
    h->reset_hint = ResetHint::kUnknown;  // it was about the sample, not about the value
  } else if (before.histogram->uses_custom_buckets() != window[next].histogram->uses_custom_buckets()) {
    notes->mixed_buckets = true;
  } else {
    const bool gauge = IsGauge(*before.histogram) && IsGauge(*window[next].histogram);
    h = Interpolate(before, window[next], t_ms, !gauge, notes);
  }
  return h ? std::make_shared<const Histogram>(*std::move(h)) : nullptr;
}

}  // namespace gauntlet::promql
