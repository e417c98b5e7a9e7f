// Track: what stitching knows of one replica: its scrape interval, learned from the data, and its runs.
//
// A run is a stretch of samples without a gap (more than 1.5 intervals) and without a stale marker. The interval is the
// lower quartile of steps, since where scrapes are missed many steps are longer: once in each block of 128 samples, so
// that a changed configuration shows, and the same of the blocks for the whole. A gap is one by the smaller of the two.
//
// Threads: one thread at a time.   Borrows the samples; reused between series.

#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "model/samples.h"

namespace gauntlet::dedup {

struct Run {
  uint32_t begin, end;  // sample indices
};

// What a counter stands at: the value, or a histogram's count. None for NaN and for gauge histograms.
std::optional<double> CounterNumber(const Samples& samples, size_t i);

class Track {
 public:
  static constexpr size_t kNone = SIZE_MAX;

  void Build(const Samples* samples);

  const Samples& samples() const { return *samples_; }
  size_t size() const { return samples_->size(); }
  int64_t time(size_t i) const { return samples_->times_ms[i]; }
  const std::vector<Run>& runs() const { return runs_; }
  // Indices of stale markers, ascending.
  const std::vector<uint32_t>& stale() const { return stale_; }

  // The scrape interval around sample `i`; 0 when there are not two samples.
  int64_t interval(size_t i) const {
    return i / kBlock < blocks_.size() ? blocks_[i / kBlock] : blocks_.empty() ? 0 : blocks_.back();
  }
  int64_t interval() const { return interval_; }

  // The run that holds sample `i`, or the first one behind it; runs().size() when none.
  size_t RunAt(size_t i) const;
  // The first sample at or after `t` that is not a stale marker; kNone when none.
  size_t FirstAt(int64_t t) const;
  // The sample before `i` that is not a stale marker; kNone when none.
  size_t Before(size_t i) const;
  // The first stale marker with after < t < before; kNone when none.
  size_t StaleBetween(int64_t after, int64_t before) const;

  std::optional<double> Number(size_t i) const { return CounterNumber(*samples_, i); }

 private:
  static constexpr size_t kBlock = 128;

  void FindStaleHistograms();
  void LearnIntervals();
  void FindRuns();

  const Samples* samples_ = nullptr;
  int64_t interval_ = 0;
  std::vector<int64_t> blocks_;
  std::vector<Run> runs_;
  std::vector<uint32_t> stale_;
};

}  // namespace gauntlet::dedup
