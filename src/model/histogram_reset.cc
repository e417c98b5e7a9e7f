// Whether a counter histogram was reset between two samples: some count is lower, or something vanished that a counter
// cannot lose.

#include <limits>

#include "model/histogram.h"
#include "model/histogram_arithmetic.h"
#include "model/histogram_buckets.h"

namespace gauntlet {
namespace {

// True when a bucket of `previous` is lower in `current`, or populated and absent there. Both in index order.
bool AnyBucketFell(BucketCursor current, BucketCursor previous) {
  bool more = current.Next();
  while (previous.Next()) {
    while (more && current.index() < previous.index()) more = current.Next();
    double now = more && current.index() == previous.index() ? current.count() : 0;
    // A bucket that is there is compared; of one that is absent only the populated count, whatever its sign.
    bool there = more && current.index() == previous.index();
    if (there ? now < previous.count() : previous.count() != 0) return true;
  }
  return false;
}

// Custom bounds that differ: compares the sums up to each bound that both have.
bool AnyCommonBoundFell(const Histogram& current, const Histogram& previous) {
  BucketCursor current_buckets(current, BucketCursor::Side::kPositive),
      previous_buckets(previous, BucketCursor::Side::kPositive);
  bool current_more = current_buckets.Next(), previous_more = previous_buckets.Next();
  // What the buckets up to `bound` hold that was not summed yet.
  auto sum_to = [](BucketCursor& cursor, bool* more, double bound) {
    double sum = 0;
    for (; *more && cursor.bucket().upper <= bound; *more = cursor.Next()) sum += cursor.count();
    return sum;
  };
  auto bound_at = [](const Histogram& h, size_t i) {
    return i < h.custom_values.size() ? h.custom_values[i] : std::numeric_limits<double>::infinity();
  };
  size_t i = 0, j = 0;
  while (i <= current.custom_values.size() && j <= previous.custom_values.size()) {
    double now = bound_at(current, i), before = bound_at(previous, j);
    if (now == before) {
      if (sum_to(current_buckets, &current_more, now) < sum_to(previous_buckets, &previous_more, now)) return true;
      ++i;
      ++j;
    } else if (now < before) {
      ++i;
    } else {
      ++j;
    }
  }
  return false;
}

}  // namespace

bool DetectReset(const Histogram& current, const Histogram& previous) {
  if (current.reset_hint == ResetHint::kReset) return true;
  if (current.reset_hint == ResetHint::kNotReset) return false;
  if (current.count < previous.count) return true;
  if (current.uses_custom_buckets()) {
    if (!previous.uses_custom_buckets()) return true;
    if (current.custom_values != previous.custom_values) return AnyCommonBoundFell(current, previous);
  }
  if (current.schema > previous.schema) return true;
  if (current.zero_threshold < previous.zero_threshold) return true;
  WidenedZeroBucket zero = WidenZeroBucket(previous, current.zero_threshold);
  // The new threshold lies within a populated bucket of the previous histogram, or zeros are missing.
  if (zero.threshold != current.zero_threshold || current.zero_count < zero.count) return true;
  auto fell = [&](BucketCursor::Side side) {
    return AnyBucketFell(BucketCursor(current, side, current.schema, current.zero_threshold),
                         BucketCursor(previous, side, current.schema, current.zero_threshold));
  };
  return fell(BucketCursor::Side::kPositive) || fell(BucketCursor::Side::kNegative);
}

}  // namespace gauntlet
