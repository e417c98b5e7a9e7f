#include "promql/exec/windows.h"

#include <algorithm>

#include "model/stale.h"
#include "promql/exec/operator.h"

namespace gauntlet::promql {
namespace {

bool HasStale(const std::vector<double>& values) {
  bool found = false;
  for (double v : values) found |= IsStaleNaN(v);
  return found;
}

// Leaves only floats that are not stale markers; moves histograms out.
void Separate(Samples* samples, std::vector<TimedHistogram>* histograms) {
  auto next = samples->histograms.begin();
  bool have_start = !samples->start_times_ms.empty();
  size_t kept = 0;
  for (size_t i = 0; i < samples->size(); ++i) {
    if (next != samples->histograms.end() && next->position == i) {
      if (!next->histogram.stale()) {
        histograms->push_back({samples->times_ms[i], have_start ? samples->start_times_ms[i] : 0,
                               std::make_shared<const Histogram>(std::move(next->histogram))});
      }
      ++next;
      continue;
    }
    if (IsStaleNaN(samples->values[i])) continue;
    samples->times_ms[kept] = samples->times_ms[i];
    samples->values[kept] = samples->values[i];
    if (have_start) samples->start_times_ms[kept] = samples->start_times_ms[i];
    ++kept;
  }
  samples->times_ms.resize(kept);
  samples->values.resize(kept);
  if (have_start) samples->start_times_ms.resize(kept);
  samples->histograms.clear();
}

// `time(i)` of `size` samples, ascending.
template <typename TimeAt>
void FindBounds(const WindowSpec& spec, size_t size, TimeAt time, std::vector<uint32_t>* lo,
                std::vector<uint32_t>* hi) {
  const uint32_t steps = spec.grid.steps;
  lo->resize(steps);
  hi->resize(steps);
  uint32_t first = 0, last = 0;
  const uint32_t count = static_cast<uint32_t>(size);
  int64_t end = spec.grid.start_ms - spec.shift_ms;
  for (uint32_t step = 0; step < steps; ++step, end += spec.grid.step_ms) {
    while (last < count && time(last) <= end) ++last;
    while (first < last && time(first) <= end - spec.range_ms) ++first;
    (*lo)[step] = first;
    (*hi)[step] = last;
    if (spec.fixed) {
      std::fill(lo->begin(), lo->end(), first);
      std::fill(hi->begin(), hi->end(), last);
      return;
    }
  }
}

// Samples seen by all windows together, and newly at each step.
void CountWindows(const SeriesWindows& w, WorkerScratch* scratch) {
  const bool per_step = !scratch->total_per_step.empty();
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
    total += window;
    read += fresh;
    largest = std::max(largest, window);
    if (per_step) {
      scratch->total_per_step[step] += window;
      if (w.spec->newly_read) scratch->read_per_step[step] += fresh;
    }
  }
  scratch->total += total;
  if (w.spec->newly_read) scratch->read += read;
  scratch->window_max = std::max(scratch->window_max, largest);
}

}  // namespace

bool MakeWindows(const WindowSpec& spec, LabelsView labels, Samples* samples, WorkerScratch* scratch,
                 SeriesWindows* out) {
  out->spec = &spec;
  out->labels = labels;
  out->histograms.samples.clear();
  if (!samples->floats_only() || HasStale(samples->values)) Separate(samples, &out->histograms.samples);
  FloatWindows& f = out->floats;
  f.times_ms = samples->times_ms.data();
  f.values = samples->values.data();
  f.start_times_ms = spec.start_times && !samples->start_times_ms.empty() ? samples->start_times_ms.data() : nullptr;
  f.size = samples->size();
  FindBounds(spec, f.size, [t = f.times_ms](uint32_t i) { return t[i]; }, &scratch->lo, &scratch->hi);
  f.lo = scratch->lo.data();
  f.hi = scratch->hi.data();
  if (!out->histograms.empty()) {
    const auto& h = out->histograms.samples;
    FindBounds(
        spec, h.size(), [&h](uint32_t i) { return h[i].time_ms; }, &scratch->histogram_lo, &scratch->histogram_hi);
    out->histograms.lo = scratch->histogram_lo.data();
    out->histograms.hi = scratch->histogram_hi.data();
  }
  int64_t before = scratch->total;
  CountWindows(*out, scratch);
  return scratch->total != before;
}

}  // namespace gauntlet::promql
