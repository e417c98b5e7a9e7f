#include "promql/exec/range/extended_windows.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "promql/exec/range/extended_histograms.h"
#include "promql/exec/range/range_histograms.h"

namespace gauntlet::promql {
namespace {

// On the line from sample i to the next one. A counter that was reset between them starts from 0.
double Interpolate(const int64_t* times_ms, const double* values, uint32_t i, int64_t t, bool is_counter) {
  double left = values[i], right = values[i + 1];
  if (is_counter && right < left) left = 0;
  return left +
         (right - left) * static_cast<double>(t - times_ms[i]) / static_cast<double>(times_ms[i + 1] - times_ms[i]);
}

// What a window [lo, hi) with its surroundings says about the range (start, end].
struct Extent {
  uint32_t first = 0, last = 0;  // the samples that stand for the ends
  double left = 0, right = 0;    // the values there
};

// False when all samples lie before the range.
bool FindExtent(const int64_t* times_ms, const double* values, uint32_t lo, uint32_t hi, int64_t start_ms,
                int64_t end_ms, bool smoothed, bool is_counter, Extent* out) {
  const int64_t* begin = times_ms + lo;
  const int64_t* last = times_ms + hi - 1;
  const int64_t* first = std::upper_bound(begin, last, start_ms);
  if (first != begin) --first;
  if (smoothed) last = std::lower_bound(begin, last, end_ms);
  if (*last <= start_ms) return false;
  out->first = static_cast<uint32_t>(first - times_ms);
  out->last = static_cast<uint32_t>(last - times_ms);
  out->left = smoothed && *first < start_ms ? Interpolate(times_ms, values, out->first, start_ms, is_counter)
                                            : values[out->first];
  out->right = smoothed && last != begin && *last > end_ms
                   ? Interpolate(times_ms, values, out->last - 1, end_ms, is_counter)
                   : values[out->last];
  return true;
}

class ExtendedRate : public RangeFunction {
 public:
  ExtendedRate(bool is_counter, bool is_rate, bool smoothed)
      : is_counter_(is_counter), is_rate_(is_rate), smoothed_(smoothed) {}

  Status Run(const RangeCall& call, const SeriesWindows& w, Column* out, WorkerScratch* scratch) const override {
    if (w.histograms.empty()) {
      RunFloats(call, w, out, scratch);
      return Status();
    }
    std::vector<uint32_t> hi;
    RunFloats(call, FloatSteps(w, &hi), out, scratch);
    return ExtendedHistogramRate(call, w, is_counter_, is_rate_, smoothed_, out, scratch);
  }

 private:
  using Resets = std::vector<uint32_t>::const_iterator;

  void RunFloats(const RangeCall& call, const SeriesWindows& w, Column* out, WorkerScratch* scratch) const {
    const FloatWindows& f = w.floats;
    std::vector<uint32_t>& resets = scratch->indexes;
    resets.clear();
    for (uint32_t i = 1; is_counter_ && i < f.size; ++i) {
      if (f.values[i] < f.values[i - 1]) resets.push_back(i);
    }
    auto reset = resets.begin();  // the first one beyond the window's first sample
    ForEachFloatWindow(w, [&](uint32_t step, uint32_t lo, uint32_t hi) {
      const int64_t start = w.start_ms(step), end = w.end_ms(step);
      Extent at;
      if (!FindExtent(f.times_ms, f.values, lo, hi, start, end, smoothed_, is_counter_, &at)) return;
      if (smoothed_ && f.times_ms[at.first] > end) return;
      double result = at.right - at.left;
      if (is_counter_) {
        while (reset != resets.end() && *reset <= lo) ++reset;
        result += Corrections(f, at, start, end, reset, resets.end());
      }
      if (is_rate_) result /= call.range_seconds;
      out->Set(step, result);
    });
  }

  // What was lost by resets, seen from the left end over the samples strictly inside to the right end.
  static double Corrections(const FloatWindows& f, const Extent& at, int64_t start, int64_t end, Resets reset,
                            Resets resets_end) {
    uint32_t first = at.first, behind = at.last + 1;
    if (f.times_ms[first] <= start) ++first;
    if (f.times_ms[at.last] >= end) --behind;
    double correction = 0, previous = at.left;
    if (first < behind) {
      if (f.values[first] < previous) correction += previous;
      while (reset != resets_end && *reset <= first) ++reset;
      for (; reset != resets_end && *reset < behind; ++reset) correction += f.values[*reset - 1];
      previous = f.values[behind - 1];
    }
    if (at.right < previous) correction += previous;
    return correction;
  }

  const bool is_counter_, is_rate_, smoothed_;
};

}  // namespace

std::unique_ptr<RangeFunction> MakeExtendedFunction(std::string_view name, WindowEnds ends) {
  const bool smoothed = ends == WindowEnds::kSmoothed;
  if (name == "rate") return std::make_unique<ExtendedRate>(true, true, smoothed);
  if (name == "increase") return std::make_unique<ExtendedRate>(true, false, smoothed);
  if (name == "delta") return std::make_unique<ExtendedRate>(false, false, smoothed);
  return nullptr;
}

Status CheckWindowEnds(std::string_view function, WindowEnds ends) {
  if (ends == WindowEnds::kPlain || function == "rate" || function == "increase" || function == "delta") {
    return Status();
  }
  const bool anchored = ends == WindowEnds::kAnchored;
  if (anchored && (function == "changes" || function == "resets")) return Status();
  return Status(Code::kInvalid,
                fmt::format("{} modifier can only be used with: {} - not with {}", anchored ? "anchored" : "smoothed",
                            anchored ? "changes, delta, increase, rate, resets" : "delta, increase, rate", function));
}

Status SmoothInstants(const SeriesWindows& w, PositionRange pos, Column* out, WorkerScratch* scratch) {
  const FloatWindows& f = w.floats;
  HistogramNotes notes;
  for (uint32_t step = 0; step < w.steps(); ++step) {
    const int64_t t = w.end_ms(step);
    if (w.HistogramCount(step) > 0) {
      if (w.FloatCount(step) > 0) {
        notes.mixed_types = true;
      } else if (auto h = SmoothHistogram(w, step, t, &notes)) {
        out->histograms().push_back({step, std::move(h)});
      }
      continue;
    }
    const uint32_t lo = f.lo[step], hi = f.hi[step];
    const uint32_t next = static_cast<uint32_t>(std::lower_bound(f.times_ms + lo, f.times_ms + hi, t) - f.times_ms);
    if (next < hi && f.times_ms[next] == t) {
      out->Set(step, f.values[next]);
    } else if (next > lo) {
      out->Set(step, next < hi ? Interpolate(f.times_ms, f.values, next - 1, t, false) : f.values[next - 1]);
    }
  }
  notes.Tell(w.labels, pos, &scratch->annotations);
  return Status();
}

Status ExtendSamples(int64_t begin_ms, int64_t end_ms, WindowEnds ends, Samples* samples) {
  if (!samples->histograms.empty()) {
    return Status(Code::kInvalid, fmt::format("{} modifier is not supported with histograms",
                                              ends == WindowEnds::kSmoothed ? "smoothed" : "anchored"));
  }
  const uint32_t size = static_cast<uint32_t>(samples->size());
  Extent at;
  if (size == 0 || !FindExtent(samples->times_ms.data(), samples->values.data(), 0, size, begin_ms, end_ms,
                               ends == WindowEnds::kSmoothed, false, &at)) {
    samples->Clear();
    return Status();
  }
  Samples out;
  auto add = [&out](int64_t t, double v) {
    out.times_ms.push_back(t);
    out.values.push_back(v);
  };
  add(begin_ms, at.left);
  for (uint32_t i = at.first; i <= at.last; ++i) {
    const int64_t t = samples->times_ms[i];
    // Those on the ends are there already.
    if ((i == at.first && t <= begin_ms) || (i == at.last && t >= end_ms)) continue;
    add(t, samples->values[i]);
  }
  add(end_ms, at.right);
  *samples = std::move(out);
  return Status();
}

}  // namespace gauntlet::promql
