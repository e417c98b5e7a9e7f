// Bucket layouts: which bucket indices a histogram's spans name, and moving counts from one layout to another.
//
// Upstream: prometheus tsdb/chunkenc/histogram_meta.go

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "model/histogram.h"

namespace gauntlet::tsdb {

// Walks the indices of a layout in ascending order. Borrows the spans. One thread at a time.
class BucketCursor {
 public:
  explicit BucketCursor(std::span<const HistogramSpan> spans) : spans_(spans) { SkipEmpty(); }

  bool valid() const { return span_ < spans_.size(); }
  int64_t index() const { return index_; }
  size_t position() const { return position_; }  // among the buckets
  void Next() {
    ++index_;
    ++position_;
    if (++in_span_ == spans_[span_].length) {
      ++span_;
      SkipEmpty();
    }
  }

 private:
  // Enters the next span that has a bucket.
  void SkipEmpty() {
    in_span_ = 0;
    for (; span_ < spans_.size(); ++span_) {
      index_ += spans_[span_].offset;
      if (spans_[span_].length != 0) return;
    }
  }

  std::span<const HistogramSpan> spans_;
  size_t span_ = 0, position_ = 0;
  uint32_t in_span_ = 0;
  int64_t index_ = 0;
};

// How the buckets of a histogram differ from those of the one before it.
struct BucketChange {
  bool added = false;    // has indices that the one before lacks
  bool missing = false;  // lacks some
  bool reset = false;    // a bucket counts less than before, or one that had counted is missing
};
BucketChange CompareBuckets(std::span<const HistogramSpan> old_spans, std::span<const double> old_buckets,
                            std::span<const HistogramSpan> new_spans, std::span<const double> new_buckets);

// The indices of both, in as few spans as possible.
std::vector<HistogramSpan> UnionSpans(std::span<const HistogramSpan> a, std::span<const HistogramSpan> b);

// The counts of `buckets` at their indices in `to`, 0 elsewhere. Counts whose index `to` lacks are lost.
std::vector<double> Respread(std::span<const HistogramSpan> from, std::span<const double> buckets,
                             std::span<const HistogramSpan> to);

// Lowers a schema of 9 to 52, which a newer writer may have used, to 8. No effect on others.
void ReduceToKnownSchema(Histogram* h);

}  // namespace gauntlet::tsdb
