// SlidingQuantile: quantiles of windows that move over a series, without sorting any window.
//
// Splitters taken from a sample of the values cut them into buckets. What the window has of each bucket is counted as
// samples enter and leave; a rank is found by these counts, and then in the few sorted values of one bucket, which
// mostly are still those of the window before.
//
// Threads: one thread at a time.

#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace gauntlet::promql {

class SlidingQuantile {
 public:
  // `values` is borrowed.
  SlidingQuantile(const double* values, uint32_t size);
  // As Quantile() of [lo, hi). REQUIRES: lo < hi, neither less than before.
  double Over(uint32_t lo, uint32_t hi, double q);

 private:
  static constexpr uint32_t kNone = ~uint32_t{0};

  void ChooseSplitters();
  void Classify();
  uint32_t BucketOf(double v, uint32_t below) const;
  bool ClassifyByNeighbours();
  void Start(uint32_t lo, uint32_t hi);
  // Where the value of a rank of the window is.
  struct Place {
    uint32_t bucket, rank;
  };
  Place Find(uint32_t rank);
  uint32_t CountOf(uint32_t bucket) const { return entered_[bucket] - left_[bucket]; }
  double ValueAt(Place place);
  void SortIntoBuckets();

  const double* const values_;
  const uint32_t size_;
  std::vector<double> splitters_;  // ascending, padded to a power of two less one
  uint32_t splitter_count_ = 0;
  // Buckets: NaN; then for each splitter what lies below it, and what equals it; then the rest.
  std::vector<uint16_t> bucket_of_;       // of each sample
  std::vector<uint32_t> entered_, left_;  // samples of each bucket that the window has reached, and left behind
  // Samples in a row of one bucket, from the first of them on; empty when they were not found as runs.
  struct Run {
    uint32_t begin, bucket;
  };
  std::vector<Run> runs_;
  uint32_t RunEnd(size_t run) const { return run + 1 < runs_.size() ? runs_[run + 1].begin : size_; }
  // Where the last rank was found: ranks move little from window to window.
  uint32_t cursor_ = 0, below_cursor_ = 0;  // a bucket, and the samples of the window in those below it
  std::vector<double> by_bucket_;           // the values, within a bucket by time; made when first needed
  std::vector<uint32_t> begins_;            // of each bucket there
  uint32_t lo_ = 0, hi_ = 0;
  bool started_ = false;
  // The sorted values of the window in one bucket.
  std::vector<double> sorted_;
  uint32_t sorted_bucket_ = kNone, sorted_begin_ = 0, sorted_end_ = 0;
};

}  // namespace gauntlet::promql
