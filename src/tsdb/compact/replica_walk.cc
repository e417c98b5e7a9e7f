#include "tsdb/compact/replica_walk.h"

#include <algorithm>
#include <array>
#include <limits>

namespace gauntlet::tsdb {
namespace {

constexpr size_t kSteps = 4;
constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

// Differences of times that may be far apart.
int64_t Minus(int64_t a, int64_t b) {
  int64_t difference = 0;
  if (__builtin_sub_overflow(a, b, &difference)) return a < b ? std::numeric_limits<int64_t>::min() : kNever;
  return difference;
}
int64_t Plus(int64_t a, int64_t b) {
  int64_t sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) return a < 0 ? std::numeric_limits<int64_t>::min() : kNever;
  return sum;
}

// Appends samples [begin, end), the first of which has a neighbour from elsewhere.
void AppendRun(const Samples& from, size_t begin, size_t end, Samples* out) {
  size_t base = out->size(), histogram = out->histograms.size();
  AppendRange(from, begin, end, out);
  if (base == 0 || histogram == out->histograms.size() || out->histograms[histogram].position != base) return;
  ResetHint& hint = out->histograms[histogram].histogram.reset_hint;
  if (hint != ResetHint::kGauge) hint = ResetHint::kUnknown;
}

}  // namespace

int64_t ReplicaWalk::StepAround(const std::vector<int64_t>& times, size_t at) const {
  size_t first = at >= kSteps ? at - kSteps : 0, last = std::min(first + kSteps, times.size() - 1);
  int64_t step = kNever;
  for (size_t i = first; i < last; ++i) step = std::min(step, Minus(times[i + 1], times[i]));
  return step == kNever ? std::max<int64_t>(step_ms_, 0) : step;
}

void ReplicaWalk::Skip(int64_t mint_ms, int64_t maxt_ms, uint32_t samples) {
  if (samples > 1) step_ms_ = Minus(maxt_ms, mint_ms) / (samples - 1);
  last_ms_ = maxt_ms;
  any_ = true;
}

bool ReplicaWalk::Nearest(std::span<const Samples* const> replicas, size_t except, int64_t before, size_t* replica,
                          size_t* at) const {
  int64_t step = std::max<int64_t>(step_ms_, 0);
  int64_t due = Plus(last_ms_, step), from = std::max(Plus(last_ms_, step - step / 2), Plus(last_ms_, 1));
  int64_t best = kNever;
  bool found = false;
  for (size_t r = 0; r < replicas.size(); ++r) {
    if (r == except) continue;
    const auto& times = replicas[r]->times_ms;
    auto first = any_ ? std::lower_bound(times.begin(), times.end(), from) : times.begin();
    if (first == times.end() || *first >= before) continue;
    int64_t distance = any_ ? Minus(std::max(*first, due), std::min(*first, due)) : *first;
    if (found && distance >= best) continue;
    found = true;
    best = distance;
    *replica = r;
    *at = static_cast<size_t>(first - times.begin());
  }
  return found;
}

void ReplicaWalk::Merge(std::span<const Samples* const> replicas, Samples* out) {
  size_t replica = 0, at = 0;
  bool more = Nearest(replicas, replicas.size(), kNever, &replica, &at);
  while (more) {
    const Samples& samples = *replicas[replica];
    const auto& times = samples.times_ms;
    size_t begin = at, next_replica = 0, next_at = 0;
    // The smallest of the last steps, so that a gap is not taken for one. Where the replica begins, of those to come.
    int64_t step = StepAround(times, at);
    std::array<int64_t, kSteps> steps;
    steps.fill(step);
    size_t oldest = 0;
    any_ = true;
    more = false;
    for (;; ++at) {
      last_ms_ = times[at];
      step_ms_ = step;
      if (at + 1 == times.size()) {
        more = Nearest(replicas, replica, kNever, &next_replica, &next_at);
        break;
      }
      int64_t gap = Minus(times[at + 1], last_ms_);
      // Of what would be right before its next sample, nothing is needed.
      if (gap > Plus(step, step) && Nearest(replicas, replica, times[at + 1] - step / 2, &next_replica, &next_at)) {
        more = true;
        break;
      }
      steps[oldest++ % kSteps] = gap;
      step = *std::min_element(steps.begin(), steps.end());
    }
    AppendRun(samples, begin, at + 1, out);
    replica = next_replica;
    at = next_at;
  }
}

}  // namespace gauntlet::tsdb
