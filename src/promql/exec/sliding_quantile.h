// SlidingQuantile: quantiles of windows that move over a series, without sorting any window.
//
// All values go into buckets by splitters taken from a sample of them. A bucket keeps its values in the order of time,
// so those within the window are a range of it whose ends only move forward. A rank is found by counts of buckets, and
// then among the few values of one bucket.
//
// Threads: one thread at a time.

#pragma once

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
  static constexpr uint32_t kGroup = 32;  // buckets counted together
  struct Bucket {
    uint32_t begin, end;  // of the window, in values_
    bool equal;           // all its values are the same
  };
  void ChooseSplitters(const double* values, uint32_t size);
  uint32_t BucketOf(double v) const;
  // The value of this rank, and the next one's when `next` is not null.
  double Select(uint32_t rank, double* next);
  double SmallestAfter(uint32_t bucket) const;

  std::vector<double> splitters_;  // ascending, padded to a power of two less one
  uint32_t splitter_count_ = 0;
  std::vector<uint16_t> bucket_of_;  // of each sample
  std::vector<double> values_;       // by bucket, within it by time
  std::vector<Bucket> buckets_;      // NaN; then for each splitter what lies below it, and what equals it; the rest
  std::vector<uint32_t> groups_;     // values of the window in each group of buckets
  std::vector<double> scratch_;
  uint32_t lo_ = 0, hi_ = 0;
};

}  // namespace gauntlet::promql
