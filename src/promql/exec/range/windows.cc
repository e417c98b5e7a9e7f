#include "promql/exec/range/windows.h"

#include <algorithm>

#include "model/sift_samples.h"
#include "model/stale.h"
#include "promql/exec/range/time_walk.h"
#include "promql/exec/rows/operator.h"
#include "promql/exec/rows/simd.h"

namespace gauntlet::promql {
namespace {

// Leaves of the columns only floats that are not stale markers; the histograms stay where they are, to be pointed at.
void Separate(Samples* samples, std::vector<TimedHistogram>* histograms) {
  auto next = samples->histograms.begin();
  const bool have_start = !samples->start_times_ms.empty();
  SiftColumns(samples, [&](size_t i, size_t) {
    if (next == samples->histograms.end() || next->position != i) return !IsStaleNaN(samples->values[i]);
    if (!next->histogram.stale()) {
      histograms->push_back({samples->times_ms[i], have_start ? samples->start_times_ms[i] : 0, &next->histogram});
    }
    ++next;
    return false;
  });
}

// Where bounds go, block by block: what a query that ends early does not come to is not touched.
class Bounds {
 public:
  Bounds(uint32_t steps, std::vector<uint32_t>* lo, std::vector<uint32_t>* hi) : lo_(*lo), hi_(*hi) {
    lo_.reserve(steps);
    hi_.reserve(steps);
  }
  void Reach(uint32_t end) {
    if (lo_.size() < end) lo_.resize(end);
    if (hi_.size() < end) hi_.resize(end);
  }
  uint32_t* lo(uint32_t step) { return lo_.data() + step; }
  uint32_t* hi(uint32_t step) { return hi_.data() + step; }

 private:
  std::vector<uint32_t>&lo_, &hi_;
};

// `time(i)` of `size` samples, ascending. False when the query ended before they were all found.
template <typename TimeAt>
bool FindBounds(const WindowSpec& spec, size_t size, TimeAt time, const SeriesWindows& w, std::vector<uint32_t>* lo,
                std::vector<uint32_t>* hi) {
  uint32_t first = 0, last = 0;
  const uint32_t count = static_cast<uint32_t>(size);
  int64_t end = spec.grid.start_ms - spec.shift_ms;
  const bool fixed = spec.fixed;
  if (fixed) {
    last = MoveBeyond(0, count, end + spec.after_ms, 0, time);
    first = MoveBeyond(0, last, end - spec.range_ms - spec.before_ms, 0, time);
  }
  const uint32_t usual = count == 0 ? 0 : UsualMove(spec.grid.step_ms, count, time(0), time(count - 1));
  const int64_t left = spec.range_ms + spec.before_ms;
  Bounds bounds(spec.grid.steps, lo, hi);
  return InBlocks(
      spec.grid.steps, [&w] { return w.Ended(); },
      [&](uint32_t begin, uint32_t block_end) {
        bounds.Reach(block_end);
        uint32_t *lo_at = bounds.lo(begin), *hi_at = bounds.hi(begin);
        for (uint32_t step = begin; step < block_end; ++step, end += spec.grid.step_ms) {
          if (!fixed) {
            last = MoveBeyond(last, count, end + spec.after_ms, usual, time);
            first = MoveBeyond(first, last, end - left, usual, time);
          }
          *lo_at++ = first;
          *hi_at++ = last;
        }
      });
}

// Whether floats come at a regular interval, so that windows are found by counting.
bool AreRegular(const WindowSpec& spec, const FloatWindows& f) {
  const int64_t end = spec.grid.start_ms - spec.shift_ms;
  return !spec.fixed &&
         RegularWalk::Suits(f.times_ms, static_cast<uint32_t>(f.size), end - spec.range_ms - spec.before_ms,
                            end + spec.after_ms, spec.grid.step_ms);
}
// FindBounds for such. REQUIRES: AreRegular().
bool FindRegularBounds(const WindowSpec& spec, const SeriesWindows& w, std::vector<uint32_t>* lo,
                       std::vector<uint32_t>* hi) {
  const FloatWindows& f = w.floats;
  const auto count = static_cast<uint32_t>(f.size);
  const int64_t end = spec.grid.start_ms - spec.shift_ms, step_ms = spec.grid.step_ms;
  RegularWalk firsts(f.times_ms, count, end - spec.range_ms - spec.before_ms, step_ms);
  RegularWalk lasts(f.times_ms, count, end + spec.after_ms, step_ms);
  Bounds bounds(spec.grid.steps, lo, hi);
  return InBlocks(
      spec.grid.steps, [&w] { return w.Ended(); },
      [&](uint32_t begin, uint32_t block_end) {
        bounds.Reach(block_end);
        firsts.Count(block_end - begin, bounds.lo(begin));
        lasts.Count(block_end - begin, bounds.hi(begin));
      });
}

struct WindowCounts {
  uint64_t total, read;
  uint32_t largest;
};

// Of floats: samples seen by all windows, by any of them for the first time, and by the largest. (No inline function of
// its own: clang forgets those of a function that is compiled for several targets.)
GN_WIDE_VECTORS void CountFloats(const uint32_t* lo, const uint32_t* hi, uint32_t steps, WindowCounts* counts) {
  uint64_t total = 0, read = 0;
  uint32_t largest = 0, before = 0;
  for (uint32_t i = 0; i < steps; ++i) {
    const uint32_t window = hi[i] - lo[i];
    total += window;
    largest = largest < window ? window : largest;
    read += hi[i] - (before < lo[i] ? lo[i] : before);
    before = hi[i];
  }
  counts->total = total;
  counts->read = read;
  counts->largest = largest;
}

// Samples seen by all windows together (returned), and newly at each step.
int64_t CountWindows(const SeriesWindows& w, WorkerScratch* scratch) {
  const bool per_step = !scratch->total_per_step.empty();
  if (w.histograms.empty() && !per_step) {
    WindowCounts counts;
    CountFloats(w.floats.lo, w.floats.hi, w.steps(), &counts);
    scratch->window_max = std::max<int64_t>(scratch->window_max, counts.largest);
    if (w.spec->counts) {
      scratch->total += static_cast<int64_t>(counts.total);
      if (w.spec->newly_read) scratch->read += static_cast<int64_t>(counts.read);
    }
    return static_cast<int64_t>(counts.total);
  }
  std::vector<int64_t> sizes;  // running sums of histogram sizes
  if (!w.histograms.empty()) {
    sizes.push_back(0);
    for (const auto& h : w.histograms.samples) sizes.push_back(sizes.back() + HistogramSampleCount(*h.histogram));
  }
  int64_t total = 0, read = 0, largest = 0;
  uint32_t seen = 0, histograms_seen = 0;
  for (uint32_t step = 0; step < w.steps(); ++step) {
    int64_t window = w.FloatCount(step);
    int64_t fresh = w.floats.hi[step] - std::max(seen, w.floats.lo[step]);
    seen = w.floats.hi[step];
    if (!w.histograms.empty()) {
      const HistogramWindows& h = w.histograms;
      window += sizes[h.hi[step]] - sizes[h.lo[step]];
      fresh += sizes[h.hi[step]] - sizes[std::max(histograms_seen, h.lo[step])];
      histograms_seen = h.hi[step];
    }
    if (w.EndedAt(step)) break;
    total += window;
    read += fresh;
    largest = std::max(largest, window);
    if (per_step && w.spec->counts) {
      scratch->total_per_step[step] += window;
      if (w.spec->newly_read) scratch->read_per_step[step] += fresh;
    }
  }
  scratch->window_max = std::max(scratch->window_max, largest);
  if (!w.spec->counts) return total;
  scratch->total += total;
  if (w.spec->newly_read) scratch->read += read;
  return total;
}

// The first of positions [begin, end) whose time is after `time_ms`.
template <typename TimeAt>
uint32_t FirstAfter(uint32_t begin, uint32_t end, int64_t time_ms, TimeAt time) {
  while (begin < end) {
    uint32_t middle = begin + (end - begin) / 2;
    if (time(middle) > time_ms) {
      end = middle;
    } else {
      begin = middle + 1;
    }
  }
  return begin;
}

}  // namespace

bool HasStaleNaN(std::span<const double> values) {
  bool found = false;
  for (double v : values) found |= IsStaleNaN(v);
  return found;
}

bool MakeWindows(const WindowSpec& spec, LabelsView labels, Samples* samples, WorkerScratch* scratch,
                 SeriesWindows* out) {
  out->spec = &spec;
  out->labels = labels;
  out->scratch = scratch;
  out->histograms.samples.clear();
  if (!samples->floats_only() || HasStaleNaN(samples->values)) Separate(samples, &out->histograms.samples);
  FloatWindows& f = out->floats;
  f.times_ms = samples->times_ms.data();
  f.values = samples->values.data();
  f.start_times_ms = spec.start_times && !samples->start_times_ms.empty() ? samples->start_times_ms.data() : nullptr;
  f.size = samples->size();
  if (AreRegular(spec, f)) {
    f.interval_ms = f.times_ms[1] - f.times_ms[0];
    if (!FindRegularBounds(spec, *out, &scratch->lo, &scratch->hi)) return false;
  } else if (!FindBounds(
                 spec, f.size, [t = f.times_ms](uint32_t i) { return t[i]; }, *out, &scratch->lo, &scratch->hi)) {
    return false;
  }
  f.lo = scratch->lo.data();
  f.hi = scratch->hi.data();
  if (!out->histograms.empty()) {
    const auto& h = out->histograms.samples;
    if (!FindBounds(
            spec, h.size(), [&h](uint32_t i) { return h[i].time_ms; }, *out, &scratch->histogram_lo,
            &scratch->histogram_hi)) {
      return false;
    }
    out->histograms.lo = scratch->histogram_lo.data();
    out->histograms.hi = scratch->histogram_hi.data();
  }
  return CountWindows(*out, scratch) > 0;
}

void AnchorWindows(WorkerScratch* scratch, SeriesWindows* w) {
  const FloatWindows& f = w->floats;
  const auto& histograms = w->histograms.samples;
  for (uint32_t step = 0; step < w->steps(); ++step) {
    const int64_t start = w->start_ms(step);
    uint32_t lo = scratch->lo[step], hi = scratch->hi[step];
    uint32_t first = FirstAfter(lo, hi, start, [&f](uint32_t i) { return f.times_ms[i]; });
    uint32_t h_lo = 0, h_hi = 0, h_first = 0;
    if (!histograms.empty()) {
      h_lo = scratch->histogram_lo[step];
      h_hi = scratch->histogram_hi[step];
      h_first = FirstAfter(h_lo, h_hi, start, [&](uint32_t i) { return histograms[i].time_ms; });
    }
    if (first < hi || h_first < h_hi) {
      // Of the samples up to the start only the last one stays, whatever its type.
      const bool have_float = first > lo, have_histogram = h_first > h_lo;
      if (have_float && (!have_histogram || f.times_ms[first - 1] >= histograms[h_first - 1].time_ms)) {
        --first;
      } else if (have_histogram) {
        --h_first;
      }
    }
    scratch->lo[step] = first;
    if (!histograms.empty()) scratch->histogram_lo[step] = h_first;
  }
}

}  // namespace gauntlet::promql
