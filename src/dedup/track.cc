#include "dedup/track.h"

#include <algorithm>
#include <cmath>

#include "model/stale.h"

namespace gauntlet::dedup {
namespace {

constexpr size_t kStepsLooked = 15;  // in one block

// The lower quartile of up to kStepsLooked steps, evenly spread over [begin, end). REQUIRES: end - begin >= 2.
int64_t UsualStep(const std::vector<int64_t>& times, size_t begin, size_t end) {
  int64_t steps[kStepsLooked];
  size_t all = end - begin - 1, n = std::min(all, kStepsLooked);
  for (size_t k = 0; k < n; ++k) {
    size_t i = begin + 1 + k * all / n;
    steps[k] = times[i] - times[i - 1];
  }
  std::nth_element(steps, steps + n / 4, steps + n);
  return steps[n / 4];
}

}  // namespace

void Track::Build(const Samples* samples) {
  samples_ = samples;
  stale_.clear();
  runs_.clear();
  LearnIntervals();
  FindRuns();
}

void Track::LearnIntervals() {
  const auto& times = samples_->times_ms;
  blocks_.clear();
  interval_ = 0;
  if (times.size() < 2) return;
  for (size_t begin = 0; begin < times.size(); begin += kBlock) {
    size_t end = std::min(times.size(), begin + kBlock);
    // A short last block says little: it goes with the one before.
    if (end - begin < kBlock / 4 && !blocks_.empty()) break;
    if (end - begin >= 2) blocks_.push_back(UsualStep(times, begin, end));
  }
  auto sorted = blocks_;
  auto quartile = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 4);
  std::nth_element(sorted.begin(), quartile, sorted.end());
  interval_ = *quartile;
}

void Track::FindStaleHistograms() {
  for (const auto& h : samples_->histograms) {
    if (h.histogram.stale()) stale_.push_back(h.position);
  }
}

void Track::FindRuns() {
  FindStaleHistograms();
  const auto& times = samples_->times_ms;
  const auto& values = samples_->values;
  size_t stale_histograms = stale_.size(), next_stale_histogram = 0;
  uint32_t begin = 0;
  auto end_run = [&](size_t at, size_t next) {
    if (at > begin) runs_.push_back({begin, static_cast<uint32_t>(at)});
    begin = static_cast<uint32_t>(next);
  };
  for (size_t block = 0; block < times.size(); block += kBlock) {
    size_t block_end = std::min(times.size(), block + kBlock);
    int64_t step_max = std::min(interval(block), interval_) * 3 / 2;
    bool plain = next_stale_histogram == stale_histograms;
    for (size_t i = block; i < block_end; ++i) {
      plain &= !IsStaleNaN(values[i]) && (i == 0 || times[i] - times[i - 1] <= step_max);
    }
    if (plain) continue;
    for (size_t i = block; i < block_end; ++i) {
      bool is_stale_histogram = next_stale_histogram < stale_histograms && stale_[next_stale_histogram] == i;
      if (is_stale_histogram) ++next_stale_histogram;
      if (is_stale_histogram || IsStaleNaN(values[i])) {
        end_run(i, i + 1);
        if (!is_stale_histogram) stale_.push_back(static_cast<uint32_t>(i));
      } else if (i > 0 && times[i] - times[i - 1] > step_max) {
        end_run(i, i);
      }
    }
  }
  end_run(times.size(), times.size());
  if (stale_histograms != 0) std::sort(stale_.begin(), stale_.end());
}

size_t Track::RunAt(size_t i) const {
  return static_cast<size_t>(std::partition_point(runs_.begin(), runs_.end(), [i](Run r) { return r.end <= i; }) -
                             runs_.begin());
}

size_t Track::FirstAt(int64_t t) const {
  const auto& times = samples_->times_ms;
  auto i = static_cast<size_t>(std::lower_bound(times.begin(), times.end(), t) - times.begin());
  size_t run = RunAt(i);
  if (run == runs_.size()) return kNone;
  return std::max<size_t>(i, runs_[run].begin);
}

size_t Track::Before(size_t i) const {
  size_t run = RunAt(i);
  if (run < runs_.size() && runs_[run].begin < i) return i - 1;
  return run > 0 ? runs_[run - 1].end - 1 : kNone;
}

size_t Track::StaleBetween(int64_t after, int64_t before) const {
  auto s = std::partition_point(stale_.begin(), stale_.end(), [&](uint32_t i) { return time(i) <= after; });
  return s != stale_.end() && time(*s) < before ? *s : kNone;
}

std::optional<double> CounterNumber(const Samples& samples, size_t i) {
  const auto& histograms = samples.histograms;
  if (!histograms.empty()) {
    auto h = std::partition_point(histograms.begin(), histograms.end(),
                                  [i](const HistogramSample& sample) { return sample.position < i; });
    if (h != histograms.end() && h->position == i) {
      if (h->histogram.reset_hint == ResetHint::kGauge || h->histogram.stale()) return std::nullopt;
      return h->histogram.count;
    }
  }
  double v = samples.values[i];
  return std::isnan(v) ? std::nullopt : std::optional(v);
}

}  // namespace gauntlet::dedup
