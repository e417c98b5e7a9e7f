#include "promql/exec/range/sliding_quantile.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "base/float_limits.h"

namespace gauntlet::promql {
namespace {

constexpr uint32_t kValuesPerBucket = 48, kSplittersMax = 1023, kSamplesPerSplitter = 2;

// Whether all values lie between the two, neither NaN nor one of them.
bool AllWithin(const double* values, uint32_t size, double from, double to) {
  bool all = true;
  for (uint32_t i = 0; i < size; ++i) all &= (values[i] > from) & (values[i] < to);
  return all;
}

bool IsEqualBucket(uint32_t bucket) { return bucket > 0 && bucket % 2 == 0; }

}  // namespace

SlidingQuantile::SlidingQuantile(const double* values, uint32_t size) : values_(values), size_(size) {
  ChooseSplitters();
  const uint32_t buckets = 2 * splitter_count_ + 2;
  entered_.resize(buckets);
  left_.resize(buckets);
  if (!ClassifyByNeighbours()) Classify();
}

void SlidingQuantile::ChooseSplitters() {
  const uint32_t wanted = std::bit_ceil(std::clamp(size_ / kValuesPerBucket, 2u, kSplittersMax + 1)) - 1;
  std::vector<double> sample;
  const uint32_t stride = std::max(1u, size_ / (wanted * kSamplesPerSplitter));
  for (uint32_t i = stride / 2; i < size_; i += stride) {
    if (!std::isnan(values_[i])) sample.push_back(values_[i]);
  }
  std::sort(sample.begin(), sample.end());
  for (uint32_t i = 1; i <= wanted && !sample.empty(); ++i) {
    const double v = sample[i * sample.size() / (wanted + 1)];
    if (splitters_.empty() || v != splitters_.back()) splitters_.push_back(v);
  }
  splitter_count_ = static_cast<uint32_t>(splitters_.size());
  splitters_.resize(std::bit_ceil(splitter_count_ + 1) - 1, kInfinity);
}

// 0 for NaN; 2 i + 1 between splitters i - 1 and i; 2 i + 2 for splitter i itself. `below`: splitters less than `v`.
uint32_t SlidingQuantile::BucketOf(double v, uint32_t below) const {
  below = std::min(below, splitter_count_);
  const bool equal = below < splitter_count_ && splitters_[below] == v;
  return std::isnan(v) ? 0 : 2 * below + 1 + equal;
}

// Counters and slow gauges stay in a bucket for long: looks at the bucket of the sample before. False, and nothing
// done, when the first samples move about too much for that.
bool SlidingQuantile::ClassifyByNeighbours() {
  const double* splitters = splitters_.data();
  bucket_of_.resize(size_);
  uint32_t below = 0, moves = 0, run_bucket = kNone;
  auto enter = [&](uint32_t i, uint32_t bucket) {
    if (bucket == run_bucket) return;
    runs_.push_back({i, bucket});
    run_bucket = bucket;
  };
  constexpr uint32_t kTried = 512, kBlock = 16;
  for (uint32_t begin = 0; begin < size_; begin += kBlock) {
    if (begin % kTried == 0 && moves > begin / 2) {
      runs_.clear();
      return false;
    }
    const uint32_t end = std::min(begin + kBlock, size_);
    const double from = below > 0 ? splitters[below - 1] : -kInfinity;
    const double to = below < splitter_count_ ? splitters[below] : kInfinity;
    if (AllWithin(values_ + begin, end - begin, from, to)) {
      enter(begin, 2 * below + 1);
      std::fill_n(bucket_of_.begin() + begin, end - begin, static_cast<uint16_t>(2 * below + 1));
      continue;
    }
    for (uint32_t i = begin; i < end; ++i) {
      const double v = values_[i];
      while (below < splitter_count_ && splitters[below] < v) ++below, ++moves;
      while (below > 0 && !(splitters[below - 1] < v)) --below, ++moves;
      const uint32_t bucket = BucketOf(v, below);
      bucket_of_[i] = static_cast<uint16_t>(bucket);
      enter(i, bucket);
    }
  }
  for (size_t r = 0; r < runs_.size(); ++r) entered_[runs_[r].bucket] += RunEnd(r) - runs_[r].begin;
  return true;
}

// Several searches side by side.
void SlidingQuantile::Classify() {
  constexpr uint32_t kLanes = 8;
  const double* splitters = splitters_.data();
  const auto first_half = static_cast<uint32_t>(splitters_.size() + 1) / 2;
  bucket_of_.resize(size_);
  for (uint32_t begin = 0; begin < size_; begin += kLanes) {
    const uint32_t lanes = std::min(kLanes, size_ - begin);
    double v[kLanes];
    uint32_t below[kLanes] = {};  // splitters less than the value
    for (uint32_t k = 0; k < kLanes; ++k) v[k] = values_[begin + std::min(k, lanes - 1)];
    for (uint32_t half = first_half; half > 0; half /= 2) {
      for (uint32_t k = 0; k < kLanes; ++k) below[k] += splitters[below[k] + half - 1] < v[k] ? half : 0;
    }
    for (uint32_t k = 0; k < lanes; ++k) {
      const uint32_t bucket = BucketOf(v[k], below[k]);
      bucket_of_[begin + k] = static_cast<uint16_t>(bucket);
      ++entered_[bucket];
    }
  }
}

// All have entered: takes back those behind the first window.
void SlidingQuantile::Start(uint32_t lo, uint32_t hi) {
  started_ = true;
  for (uint32_t i = hi; i < size_; ++i) --entered_[bucket_of_[i]];
  for (uint32_t i = 0; i < lo; ++i) ++left_[bucket_of_[i]];
  lo_ = lo;
  hi_ = hi;
}

double SlidingQuantile::Over(uint32_t lo, uint32_t hi, double q) {
  if (!started_) Start(lo, hi);
  for (; hi_ < hi; ++hi_) {
    ++entered_[bucket_of_[hi_]];
    below_cursor_ += bucket_of_[hi_] < cursor_;
  }
  for (; lo_ < lo; ++lo_) {
    ++left_[bucket_of_[lo_]];
    below_cursor_ -= bucket_of_[lo_] < cursor_;
  }
  if (std::isnan(q)) return std::numeric_limits<double>::quiet_NaN();
  if (q < 0) return -kInfinity;
  if (q > 1) return kInfinity;
  const uint32_t size = hi - lo;
  const double rank = q * (static_cast<double>(size) - 1);
  const auto lower = static_cast<uint32_t>(std::max(0.0, std::floor(rank)));
  const double weight = rank - std::floor(rank);
  Place place = Find(lower);
  const double low = ValueAt(place);
  double high = low;
  if (lower + 1 < size) {
    if (++place.rank == CountOf(place.bucket)) {
      place.rank = 0;
      do ++place.bucket;
      while (CountOf(place.bucket) == 0);
    }
    high = ValueAt(place);
  }
  return low * (1 - weight) + high * weight;
}

SlidingQuantile::Place SlidingQuantile::Find(uint32_t rank) {
  while (rank < below_cursor_) below_cursor_ -= CountOf(--cursor_);
  while (rank - below_cursor_ >= CountOf(cursor_)) below_cursor_ += CountOf(cursor_++);
  return {cursor_, rank - below_cursor_};
}

double SlidingQuantile::ValueAt(Place place) {
  if (place.bucket == 0) return std::numeric_limits<double>::quiet_NaN();
  if (IsEqualBucket(place.bucket)) return splitters_[place.bucket / 2 - 1];
  const uint32_t begin = left_[place.bucket], end = entered_[place.bucket];
  if (sorted_bucket_ != place.bucket || sorted_begin_ != begin || sorted_end_ != end) {
    if (by_bucket_.empty()) SortIntoBuckets();
    const double* list = by_bucket_.data() + begins_[place.bucket];
    sorted_.assign(list + begin, list + end);
    std::sort(sorted_.begin(), sorted_.end());
    sorted_bucket_ = place.bucket;
    sorted_begin_ = begin;
    sorted_end_ = end;
  }
  return sorted_[place.rank];
}

void SlidingQuantile::SortIntoBuckets() {
  begins_.assign(entered_.size() + 1, 0);
  if (runs_.empty()) {
    for (uint32_t i = 0; i < size_; ++i) ++begins_[bucket_of_[i] + 1];
  }
  for (size_t r = 0; r < runs_.size(); ++r) begins_[runs_[r].bucket + 1] += RunEnd(r) - runs_[r].begin;
  for (size_t b = 1; b < begins_.size(); ++b) begins_[b] += begins_[b - 1];
  by_bucket_.resize(size_);
  std::vector<uint32_t> next(begins_.begin(), begins_.end() - 1);
  for (size_t r = 0; r < runs_.size(); ++r) {
    const uint32_t count = RunEnd(r) - runs_[r].begin;
    std::copy_n(values_ + runs_[r].begin, count, by_bucket_.begin() + next[runs_[r].bucket]);
    next[runs_[r].bucket] += count;
  }
  if (!runs_.empty()) return;
  for (uint32_t i = 0; i < size_; ++i) by_bucket_[next[bucket_of_[i]]++] = values_[i];
}

}  // namespace gauntlet::promql
