#include "model/histogram_side.h"

#include <algorithm>
#include <utility>

#include "model/histogram_buckets.h"
#include "model/kahan_sum.h"

namespace gauntlet {
namespace {

int64_t Coarser(int64_t index, int32_t levels) { return ((index - 1) >> levels) + 1; }

bool BelowThreshold(int64_t index, int32_t schema, double threshold) {
  if (index >= 0 && threshold < 1) return false;  // its bound is at least 1
  static const std::vector<double> kNone;
  return BucketBound(static_cast<int32_t>(index), schema, kNone) <= threshold;
}

// Adds a bucket and, when it is not 0, its compensation to those of another.
void AddOne(double count, double compensation, double* into, double* into_compensation) {
  KahanAdd(count, *into, *into_compensation);
  if (compensation != 0) KahanAdd(compensation, *into, *into_compensation);
}

// How many of the first buckets lie below the threshold.
size_t CountBelow(const HistogramSideView& side, int32_t schema, double threshold) {
  if (schema == kCustomBucketsSchema) return 0;
  size_t count = 0;
  for (SideWalk walk(side.spans, side.counts.size()); walk.Next() && BelowThreshold(walk.index(), schema, threshold);) {
    ++count;
  }
  return count;
}

template <bool kCompensated>
void AddSameLayout(double* counts, double* compensations, const HistogramSideView& from, double sign, size_t skip) {
  const size_t size = from.counts.size();
  const double* added = from.counts.data();
  if constexpr (!kCompensated) {
    for (size_t i = skip; i < size; ++i) counts[i] += added[i] * sign;
  } else if (from.compensations.empty()) {
    for (size_t i = skip; i < size; ++i) KahanAdd(added[i] * sign, counts[i], compensations[i]);
  } else {
    for (size_t i = skip; i < size; ++i) {
      AddOne(added[i] * sign, from.compensations[i] * sign, &counts[i], &compensations[i]);
    }
  }
}

template <bool kCompensated>
void AddUnlike(HistogramSide* into, const HistogramSideView& from, double sign, size_t skip) {
  HistogramSide sum;
  sum.counts.reserve(into->counts.size() + from.counts.size());
  SideBuilder builder(&sum);
  SideWalk a(into->spans, into->counts.size()), b(from.spans, from.counts.size());
  bool more_a = a.Next(), more_b = b.Next();
  bool begun = false;  // the span that `a` begins has got a bucket in front
  for (; more_b && b.position() < skip;) more_b = b.Next();
  while (more_a || more_b) {
    const bool take_a = more_a && (!more_b || a.index() <= b.index());
    const bool take_b = more_b && (!more_a || b.index() <= a.index());
    double count = take_a ? into->counts[a.position()] : from.counts[b.position()] * sign;
    const int64_t index = take_a ? a.index() : b.index();
    // A bucket of `b` alone goes to the span behind which it comes, else to the one before which it comes.
    const bool new_span = take_a ? a.begins_span() && !begun : !builder.touches(index);
    begun = !take_a && (begun || (new_span && more_a && a.begins_span() && a.index() == index + 1));
    if constexpr (kCompensated) {
      double from_c = take_b && !from.compensations.empty() ? from.compensations[b.position()] * sign : 0;
      double c = take_a ? into->compensations[a.position()] : from_c;
      if (take_a && take_b) AddOne(from.counts[b.position()] * sign, from_c, &count, &c);
      builder.Add(index, count, new_span);
      sum.compensations.push_back(c);
    } else {
      if (take_a && take_b) count += from.counts[b.position()] * sign;
      builder.Add(index, count, new_span);
    }
    if (take_a) more_a = a.Next();
    if (take_b) more_b = b.Next();
  }
  *into = std::move(sum);
}

}  // namespace

HistogramSide ReduceSide(const HistogramSideView& side, int32_t levels) {
  HistogramSide out;
  SideBuilder builder(&out);
  const bool compensated = !side.compensations.empty();
  int64_t last = 0;
  for (SideWalk walk(side.spans, side.counts.size()); walk.Next();) {
    const int64_t index = Coarser(walk.index(), levels);
    const double count = side.counts[walk.position()];
    if (out.counts.empty() || index != last) {
      compensated ? builder.Add(index, count, side.compensations[walk.position()]) : builder.Add(index, count);
    } else if (compensated) {
      KahanAdd(count, out.counts.back(), out.compensations.back());
      KahanAdd(side.compensations[walk.position()], out.counts.back(), out.compensations.back());
    } else {
      out.counts.back() += count;
    }
    last = index;
  }
  return out;
}

template <bool kCompensated>
void AddSide(HistogramSide* into, const HistogramSideView& from, double sign, int32_t schema, double threshold) {
  if (AddSideInPlace<kCompensated>(into->spans, into->counts, into->compensations.data(), from, sign, schema,
                                   threshold)) {
    return;
  }
  AddUnlike<kCompensated>(into, from, sign, CountBelow(from, schema, threshold));
}
template <bool kCompensated>
bool AddSideInPlace(std::span<const HistogramSpan> spans, std::span<double> counts, double* compensations,
                    const HistogramSideView& from, double sign, int32_t schema, double threshold) {
  if (from.counts.empty()) return true;
  if (counts.size() != from.counts.size() || !std::ranges::equal(spans, from.spans)) return false;
  AddSameLayout<kCompensated>(counts.data(), compensations, from, sign, CountBelow(from, schema, threshold));
  return true;
}
template bool AddSideInPlace<false>(std::span<const HistogramSpan>, std::span<double>, double*,
                                    const HistogramSideView&, double, int32_t, double);
template bool AddSideInPlace<true>(std::span<const HistogramSpan>, std::span<double>, double*, const HistogramSideView&,
                                   double, int32_t, double);
template void AddSide<false>(HistogramSide*, const HistogramSideView&, double, int32_t, double);
template void AddSide<true>(HistogramSide*, const HistogramSideView&, double, int32_t, double);

HistogramSide MergeCustomSides(const HistogramSideView& a, const std::vector<double>& a_bounds,
                               const HistogramSideView& b, const std::vector<double>& b_bounds, double sign,
                               const std::vector<double>& common) {
  std::vector<double> counts(common.size() + 1), compensations(common.size() + 1);
  auto merge = [&](const HistogramSideView& side, const std::vector<double>& bounds, double factor) {
    size_t target = 0;
    for (SideWalk walk(side.spans, side.counts.size()); walk.Next();) {
      const int64_t index = walk.index();
      size_t at = common.size();
      if (index >= 0 && static_cast<size_t>(index) < bounds.size()) {
        while (target < common.size() && common[target] < bounds[static_cast<size_t>(index)]) ++target;
        at = target;
      }
      KahanAdd(side.counts[walk.position()] * factor, counts[at], compensations[at]);
      if (!side.compensations.empty()) {
        KahanAdd(side.compensations[walk.position()], counts[at], compensations[at]);
      }
    }
  };
  merge(a, a_bounds, 1);
  merge(b, b_bounds, sign);
  HistogramSide out;
  SideBuilder builder(&out);
  for (size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] != 0 || compensations[i] != 0) builder.Add(static_cast<int64_t>(i), counts[i], compensations[i]);
  }
  return out;
}

void DropEmptyBuckets(HistogramSide* side) {
  HistogramSide out;
  SideBuilder builder(&out);
  const bool compensated = !side->compensations.empty();
  for (SideWalk walk(side->spans, side->counts.size()); walk.Next();) {
    const double count = side->counts[walk.position()], c = compensated ? side->compensations[walk.position()] : 0;
    if (count == 0 && c == 0) continue;
    compensated ? builder.Add(walk.index(), count, c) : builder.Add(walk.index(), count);
  }
  *side = std::move(out);
}

}  // namespace gauntlet
