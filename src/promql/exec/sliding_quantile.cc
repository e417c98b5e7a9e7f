#include "promql/exec/sliding_quantile.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace gauntlet::promql {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr uint32_t kValuesPerBucket = 16, kSplittersMax = 1023, kSamplesPerSplitter = 2;

}  // namespace

SlidingQuantile::SlidingQuantile(const double* values, uint32_t size) {
  ChooseSplitters(values, size);
  const uint32_t bucket_count = 2 * splitter_count_ + 2;
  bucket_of_.resize(size);
  std::vector<uint32_t> next(bucket_count + 1);
  for (uint32_t i = 0; i < size; ++i) {
    uint32_t bucket = BucketOf(values[i]);
    bucket_of_[i] = static_cast<uint16_t>(bucket);
    ++next[bucket + 1];
  }
  buckets_.resize(bucket_count);
  for (uint32_t b = 0; b < bucket_count; ++b) {
    next[b + 1] += next[b];
    buckets_[b] = {next[b], next[b], b % 2 == 0 && b > 0};
  }
  values_.resize(size);
  for (uint32_t i = 0; i < size; ++i) values_[next[bucket_of_[i]]++] = values[i];
  groups_.resize(bucket_count / kGroup + 1);
}

void SlidingQuantile::ChooseSplitters(const double* values, uint32_t size) {
  uint32_t wanted = std::bit_ceil(std::clamp(size / kValuesPerBucket, 2u, kSplittersMax + 1)) - 1;
  std::vector<double> sample;
  const uint32_t stride = std::max(1u, size / (wanted * kSamplesPerSplitter));
  for (uint32_t i = stride / 2; i < size; i += stride) {
    if (!std::isnan(values[i])) sample.push_back(values[i]);
  }
  std::sort(sample.begin(), sample.end());
  for (uint32_t i = 1; i <= wanted && !sample.empty(); ++i) {
    double v = sample[i * sample.size() / (wanted + 1)];
    if (splitters_.empty() || v != splitters_.back()) splitters_.push_back(v);
  }
  splitter_count_ = static_cast<uint32_t>(splitters_.size());
  splitters_.resize(std::bit_ceil(splitter_count_ + 1) - 1, kInfinity);
}

// 0 for NaN; 2 i + 1 between splitters i - 1 and i; 2 i + 2 for splitter i itself.
uint32_t SlidingQuantile::BucketOf(double v) const {
  if (std::isnan(v)) return 0;
  const double* base = splitters_.data();
  uint32_t below = 0;  // splitters less than v
  for (auto half = static_cast<uint32_t>(splitters_.size() + 1) / 2; half > 0; half /= 2) {
    below += base[below + half - 1] < v ? half : 0;
  }
  below = std::min(below, splitter_count_);
  return 2 * below + 1 + (below < splitter_count_ && splitters_[below] == v);
}

double SlidingQuantile::Over(uint32_t lo, uint32_t hi, double q) {
  if (lo >= hi_) {  // nothing of the last window is left
    for (Bucket& bucket : buckets_) bucket.begin = bucket.end;
    for (; hi_ < lo; ++hi_) buckets_[bucket_of_[hi_]].begin = ++buckets_[bucket_of_[hi_]].end;
    std::fill(groups_.begin(), groups_.end(), 0);
    lo_ = lo;
  }
  for (; hi_ < hi; ++hi_) {
    ++buckets_[bucket_of_[hi_]].end;
    ++groups_[bucket_of_[hi_] / kGroup];
  }
  for (; lo_ < lo; ++lo_) {
    ++buckets_[bucket_of_[lo_]].begin;
    --groups_[bucket_of_[lo_] / kGroup];
  }
  if (std::isnan(q)) return std::numeric_limits<double>::quiet_NaN();
  if (q < 0) return -kInfinity;
  if (q > 1) return kInfinity;
  const uint32_t size = hi - lo;
  const double rank = q * (static_cast<double>(size) - 1);
  const auto lower = static_cast<uint32_t>(std::max(0.0, std::floor(rank)));
  const double weight = rank - std::floor(rank);
  double high = 0;
  const double low = Select(lower, lower + 1 < size ? &high : nullptr);
  if (lower + 1 >= size) high = low;
  return low * (1 - weight) + high * weight;
}

double SlidingQuantile::Select(uint32_t rank, double* next) {
  uint32_t group = 0;
  while (rank >= groups_[group]) rank -= groups_[group++];
  uint32_t b = group * kGroup;
  for (; rank >= buckets_[b].end - buckets_[b].begin; ++b) rank -= buckets_[b].end - buckets_[b].begin;
  const Bucket& bucket = buckets_[b];
  const uint32_t count = bucket.end - bucket.begin;
  if (bucket.equal || b == 0) {
    const double v = values_[bucket.begin];
    if (next != nullptr) *next = rank + 1 < count ? v : SmallestAfter(b);
    return v;
  }
  scratch_.assign(values_.begin() + bucket.begin, values_.begin() + bucket.end);
  auto at = scratch_.begin() + rank;
  std::nth_element(scratch_.begin(), at, scratch_.end());
  if (next != nullptr) *next = rank + 1 < count ? *std::min_element(at + 1, scratch_.end()) : SmallestAfter(b);
  return *at;
}

double SlidingQuantile::SmallestAfter(uint32_t bucket) const {
  for (++bucket; buckets_[bucket].begin == buckets_[bucket].end; ++bucket) {
  }
  const Bucket& found = buckets_[bucket];
  return *std::min_element(values_.begin() + found.begin, values_.begin() + found.end);
}

}  // namespace gauntlet::promql
