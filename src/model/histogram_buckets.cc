#include "model/histogram_buckets.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "base/float_limits.h"
#include "model/go/math.h"

namespace gauntlet {
namespace {

constexpr int32_t kFinestSchema = 8;
constexpr int64_t kExponentMax = 5000;  // far beyond infinity and zero

// 2^(i/256 - 1), to the bit as Prometheus has it. Its table was made from schema to schema: a bound that the coarser
// schema knows is taken from there, and one between is its left neighbour times 2^(2^-schema). The first, of schema 1,
// is the float below the nearest to sqrt(1/2).
const std::array<double, 256>& FinestBounds() {
  static const std::array<double, 256> kBounds = [] {
    std::array<double, 256> bounds;
    bounds[0] = 0.5;
    bounds[128] = 0x1.6a09e667f3bccp-1;
    double factor = std::sqrt(2.0);
    for (size_t step = 64; step > 0; step /= 2) {
      factor = std::sqrt(factor);
      for (size_t i = step; i < 256; i += 2 * step) bounds[i] = bounds[i - step] * factor;
    }
    return bounds;
  }();
  return kBounds;
}

double ExponentialBound(int32_t index, int32_t schema) {
  auto scale = [](double fraction, int64_t exponent) {
    return std::ldexp(fraction, static_cast<int>(std::clamp(exponent, -kExponentMax, kExponentMax)));
  };
  if (schema < 0) {
    int64_t exponent = static_cast<int64_t>(index) * (int64_t{1} << std::min(-schema, 30));
    return exponent == 1024 ? std::numeric_limits<double>::max() : scale(1, exponent);
  }
  if (schema > kFinestSchema) return std::exp2(std::ldexp(static_cast<double>(index), -schema));
  auto within = static_cast<uint32_t>(index) & ((1u << schema) - 1);
  double fraction = FinestBounds()[within << (kFinestSchema - schema)];
  int64_t exponent = (static_cast<int64_t>(index) >> schema) + 1;
  if (within == 0 && exponent == 1025) return std::numeric_limits<double>::max();
  return scale(fraction, exponent);
}

// Go's arithmetic: wraps around.
int32_t Add(int32_t a, int32_t b) { return static_cast<int32_t>(static_cast<uint32_t>(a) + static_cast<uint32_t>(b)); }

HistogramBucket MakeBucket(int32_t index, int32_t schema, BucketCursor::Side side,
                           const std::vector<double>& custom_values, double count) {
  const double far = BucketBound(index, schema, custom_values);
  const double near = BucketBound(Add(index, -1), schema, custom_values);
  const bool positive = side == BucketCursor::Side::kPositive, custom = schema == kCustomBucketsSchema;
  HistogramBucket bucket;
  bucket.count = count;
  bucket.index = index;
  bucket.lower = positive ? near : -far;
  bucket.upper = positive ? far : -near;
  bucket.lower_inclusive = custom ? index == 0 : bucket.lower < 0;
  bucket.upper_inclusive = custom || bucket.upper > 0;
  return bucket;
}

}  // namespace

double BucketBound(int32_t index, int32_t schema, const std::vector<double>& custom_values) {
  if (schema != kCustomBucketsSchema) return ExponentialBound(index, schema);
  if (index < 0) return -kInfinity;
  return static_cast<size_t>(index) < custom_values.size() ? custom_values[static_cast<size_t>(index)] : kInfinity;
}

double FractionBelow(const HistogramBucket& bucket, double v, bool linear) {
  if (linear) return (v - bucket.lower) / (bucket.upper - bucket.lower);
  const double lower = GoLog2(std::fabs(bucket.lower)), upper = GoLog2(std::fabs(bucket.upper));
  const double at = GoLog2(std::fabs(v));
  if (v > 0) return (at - lower) / (upper - lower);
  return 1 - ((at - upper) / (lower - upper));
}

int32_t CoarserIndex(int32_t index, int32_t schema, int32_t target_schema) {
  return ((index - 1) >> (schema - target_schema)) + 1;
}

BucketCursor::BucketCursor(const Histogram& histogram, Side side, int32_t target_schema, double start)
    : histogram_(histogram),
      side_(side),
      spans_(side == Side::kPositive ? histogram.positive_spans : histogram.negative_spans),
      buckets_(side == Side::kPositive ? histogram.positive_buckets : histogram.negative_buckets),
      target_schema_(target_schema),
      start_(start) {}

bool BucketCursor::Advance() {
  if (next_ >= buckets_.size()) return false;
  if (next_ > 0) own_index_ = Add(own_index_, 1);
  if (next_ == 0 && !spans_.empty()) own_index_ = spans_[0].offset;
  while (span_ < spans_.size() && in_span_ >= spans_[span_].length) {
    in_span_ = 0;
    if (++span_ < spans_.size()) own_index_ = Add(own_index_, spans_[span_].offset);
  }
  if (span_ >= spans_.size()) return false;
  ++in_span_;
  ++next_;
  return true;
}

bool BucketCursor::NextMerged() {
  if (!pending_ && !Advance()) return false;
  pending_ = false;
  if (target_schema_ == histogram_.schema) {
    index_ = own_index_;
    count_ = buckets_[next_ - 1];
    return true;
  }
  index_ = CoarserIndex(own_index_, histogram_.schema, target_schema_);
  count_ = 0;
  do {
    count_ += buckets_[next_ - 1];
    if (!Advance()) return true;
  } while (CoarserIndex(own_index_, histogram_.schema, target_schema_) == index_);
  pending_ = true;
  return true;
}

bool BucketCursor::Next() {
  while (NextMerged()) {
    started_ = started_ || histogram_.uses_custom_buckets() || ExponentialBound(index_, target_schema_) > start_;
    if (started_) return true;
  }
  return false;
}

HistogramBucket BucketCursor::bucket() const {
  return MakeBucket(index_, target_schema_, side_, histogram_.custom_values, count_);
}

HistogramBucket BucketAt(const Histogram& histogram, BucketCursor::Side side, size_t position) {
  const bool positive = side == BucketCursor::Side::kPositive;
  const double count = (positive ? histogram.positive_buckets : histogram.negative_buckets)[position];
  int32_t index = 0;
  for (const HistogramSpan& span : positive ? histogram.positive_spans : histogram.negative_spans) {
    index = Add(index, span.offset);
    if (position < span.length) break;
    position -= span.length;
    index = Add(index, static_cast<int32_t>(span.length));
  }
  index = Add(index, static_cast<int32_t>(position));
  return MakeBucket(index, histogram.schema, side, histogram.custom_values, count);
}

void AllBuckets(const Histogram& histogram, std::vector<HistogramBucket>* out) {
  out->clear();
  const double zero = histogram.zero_threshold;
  auto append = [&](BucketCursor::Side side) {
    for (BucketCursor cursor(histogram, side); cursor.Next();) {
      HistogramBucket bucket = cursor.bucket();
      if (bucket.lower > 0 && bucket.lower < zero) {
        bucket.lower = zero;
      } else if (bucket.upper < 0 && bucket.upper > -zero) {
        bucket.upper = -zero;
      }
      out->push_back(bucket);
    }
  };
  append(BucketCursor::Side::kNegative);
  std::reverse(out->begin(), out->end());
  if (histogram.zero_count > 0) out->push_back({-zero, zero, histogram.zero_count, true, true, 0});
  append(BucketCursor::Side::kPositive);
}

}  // namespace gauntlet
