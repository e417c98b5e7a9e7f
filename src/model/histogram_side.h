// One side of a histogram, positive or negative, with the compensations of its buckets when it has them: the part of
// histogram arithmetic that knows about spans.
//
// Upstream: prometheus model/histogram/generic.go (reduceResolution), float_histogram.go (addBuckets)
// Threads:  functions on values.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "model/histogram.h"

namespace gauntlet {

// Buckets of a side in the order of their indexes. `compensations` is empty, or as long as `counts`.
struct HistogramSide {
  std::vector<HistogramSpan> spans;
  std::vector<double> counts, compensations;
};
struct HistogramSideView {
  HistogramSideView(std::span<const HistogramSpan> s, std::span<const double> c) : spans(s), counts(c) {}
  HistogramSideView(const HistogramSide& s)  // NOLINT(google-explicit-constructor)
      : spans(s.spans), counts(s.counts), compensations(s.compensations) {}
  std::span<const HistogramSpan> spans;
  std::span<const double> counts, compensations;
};

// Walks (spans, buckets) by index, also when they do not fit together.
class SideWalk {
 public:
  SideWalk(std::span<const HistogramSpan> spans, size_t buckets) : spans_(spans), buckets_(buckets) {
    if (!spans.empty()) index_ = int64_t{spans[0].offset} - 1;
  }
  bool Next() {
    if (next_ >= buckets_ || span_ >= spans_.size()) return false;
    ++index_;
    while (in_span_ >= spans_[span_].length) {
      in_span_ = 0;
      if (++span_ == spans_.size()) return false;
      index_ += spans_[span_].offset;
    }
    ++in_span_;
    ++next_;
    return true;
  }
  int64_t index() const { return index_; }
  size_t position() const { return next_ - 1; }
  // Whether the bucket is the first one of its span.
  bool begins_span() const { return in_span_ == 1; }

 private:
  const std::span<const HistogramSpan> spans_;
  const size_t buckets_;
  size_t span_ = 0, next_ = 0;
  uint32_t in_span_ = 0;
  int64_t index_ = 0;
};

// Appends buckets by index; spans join where they touch.
class SideBuilder {
 public:
  explicit SideBuilder(HistogramSide* out) : out_(out) {}
  void Add(int64_t index, double count) { Add(index, count, !touches(index)); }
  // With a new span, or with the last one going on; then it touches that.
  void Add(int64_t index, double count, bool new_span) {
    if (new_span) {
      out_->spans.push_back({static_cast<int32_t>(index - next_), 1});
    } else {
      ++out_->spans.back().length;
    }
    out_->counts.push_back(count);
    next_ = index + 1;
  }
  bool touches(int64_t index) const { return !out_->spans.empty() && index == next_; }
  void Add(int64_t index, double count, double compensation) {
    Add(index, count);
    out_->compensations.push_back(compensation);
  }

 private:
  HistogramSide* out_;
  int64_t next_ = 0;
};

// The buckets of a schema coarser by `levels`. Compensations, when there are any, are kept and made.
HistogramSide ReduceSide(const HistogramSideView& side, int32_t levels);

// into += sign * from, at `schema`; buckets of `from` that lie below `threshold` are left out. With kCompensated,
// `into` has compensations, and `from` may. The spans of `into` stay apart, also where what is added fills the gap
// between them: it shows in the bytes of chunks.
template <bool kCompensated>
void AddSide(HistogramSide* into, const HistogramSideView& from, double sign, int32_t schema, double threshold);

// The same in place, where both have their buckets at the same indexes or `from` has none: what happens almost always.
// Else does nothing, and returns false. `compensations` is null without kCompensated.
template <bool kCompensated>
bool AddSideInPlace(std::span<const HistogramSpan> spans, std::span<double> counts, double* compensations,
                    const HistogramSideView& from, double sign, int32_t schema, double threshold);

// Both sides (their custom bounds differ) merged into the buckets of `common`.
HistogramSide MergeCustomSides(const HistogramSideView& a, const std::vector<double>& a_bounds,
                               const HistogramSideView& b, const std::vector<double>& b_bounds, double sign,
                               const std::vector<double>& common);

// Without the buckets that are empty (and have no compensation).
void DropEmptyBuckets(HistogramSide* side);

}  // namespace gauntlet
