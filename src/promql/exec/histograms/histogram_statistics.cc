#include "promql/exec/histograms/histogram_statistics.h"

#include <algorithm>
#include <vector>

namespace gauntlet::promql {
namespace {

// The times at which the iterator jumps over samples, ascending: it goes on at the first sample from there.
std::vector<int64_t> Jumps(const WindowReads& reads, const std::vector<int64_t>& times_ms) {
  std::vector<int64_t> jumps;
  if (reads.grid.steps < 2 || reads.grid.step_ms <= reads.window_ms) return jumps;
  auto at = times_ms.begin();
  for (uint32_t step = 1; step < reads.grid.steps; ++step) {
    // It rests on the first sample from the step before on.
    const int64_t before = reads.grid.time_ms(step - 1) - reads.shift_ms;
    at = std::lower_bound(at, times_ms.end(), before);
    if (at == times_ms.end()) break;
    const int64_t target = reads.grid.time_ms(step) - reads.shift_ms - reads.window_ms;
    if (target > *at) jumps.push_back(target);
  }
  return jumps;
}

Histogram WithoutBuckets(const Histogram& h, ResetHint hint) {
  Histogram out;
  out.reset_hint = hint;
  out.is_float = h.is_float;
  out.schema = h.schema;
  out.count = h.count;
  out.sum = h.sum;
  return out;
}

}  // namespace

void KeepStatistics(const WindowReads& reads, Samples* samples) {
  if (samples->histograms.empty()) return;
  const std::vector<int64_t> jumps = Jumps(reads, samples->times_ms);
  auto jump = jumps.begin();
  Histogram last;
  bool has_last = false;
  for (HistogramSample& sample : samples->histograms) {
    Histogram& h = sample.histogram;
    for (; jump != jumps.end() && *jump <= samples->times_ms[sample.position]; ++jump) has_last = false;
    ResetHint hint = h.reset_hint;
    if (h.stale()) {
      h = WithoutBuckets(h, hint);
      continue;
    }
    if (hint == ResetHint::kUnknown && has_last) {
      hint = DetectReset(h, last) ? ResetHint::kReset : ResetHint::kNotReset;
    }
    last = std::move(h);
    has_last = true;
    h = WithoutBuckets(last, hint);
  }
}

}  // namespace gauntlet::promql
