#include "tsdb/chunkenc/bucket_layout.h"

#include <utility>

namespace gauntlet::tsdb {
namespace {

constexpr int32_t kSchemaMax = 8;

// Collects ascending indices into spans.
class SpanBuilder {
 public:
  // False when `index` is the last one added already.
  bool Add(int64_t index) {
    if (!spans_.empty() && index == last_) return false;
    if (!spans_.empty() && index == last_ + 1) {
      ++spans_.back().length;
    } else {
      spans_.push_back({static_cast<int32_t>(spans_.empty() ? index : index - last_ - 1), 1});
    }
    last_ = index;
    return true;
  }
  std::vector<HistogramSpan> Release() { return std::move(spans_); }

 private:
  std::vector<HistogramSpan> spans_;
  int64_t last_ = 0;
};

// Bucket i covers (base^(i-1), base^i], so at a schema lower by `by` it lies in bucket ceil(i / 2^by).
void Reduce(int by, std::vector<HistogramSpan>* spans, std::vector<double>* buckets) {
  SpanBuilder builder;
  std::vector<double> merged;
  for (BucketCursor from(*spans); from.valid() && from.position() < buckets->size(); from.Next()) {
    double count = (*buckets)[from.position()];
    if (builder.Add(((from.index() - 1) >> by) + 1)) {
      merged.push_back(count);
    } else {
      merged.back() += count;
    }
  }
  *spans = builder.Release();
  *buckets = std::move(merged);
}

}  // namespace

BucketChange CompareBuckets(std::span<const HistogramSpan> old_spans, std::span<const double> old_buckets,
                            std::span<const HistogramSpan> new_spans, std::span<const double> new_buckets) {
  BucketChange change;
  BucketCursor a(old_spans), b(new_spans);
  while (a.valid() || b.valid()) {
    if (!a.valid() || (b.valid() && b.index() < a.index())) {
      change.added = true;
      b.Next();
    } else if (!b.valid() || a.index() < b.index()) {
      change.missing = true;
      if (old_buckets[a.position()] != 0) change.reset = true;
      a.Next();
    } else {
      if (old_buckets[a.position()] > new_buckets[b.position()]) change.reset = true;
      a.Next();
      b.Next();
    }
  }
  return change;
}

std::vector<HistogramSpan> UnionSpans(std::span<const HistogramSpan> a, std::span<const HistogramSpan> b) {
  SpanBuilder builder;
  BucketCursor x(a), y(b);
  while (x.valid() || y.valid()) {
    BucketCursor& first = !y.valid() || (x.valid() && x.index() <= y.index()) ? x : y;
    builder.Add(first.index());
    first.Next();
  }
  return builder.Release();
}

std::vector<double> Respread(std::span<const HistogramSpan> from, std::span<const double> buckets,
                             std::span<const HistogramSpan> to) {
  std::vector<double> spread;
  BucketCursor source(from);
  for (BucketCursor target(to); target.valid(); target.Next()) {
    while (source.valid() && source.index() < target.index()) source.Next();
    bool here = source.valid() && source.index() == target.index();
    spread.push_back(here ? buckets[source.position()] : 0);
  }
  return spread;
}

void ReduceToKnownSchema(Histogram* h) {
  if (h->schema <= kSchemaMax) return;
  Reduce(h->schema - kSchemaMax, &h->positive_spans, &h->positive_buckets);
  Reduce(h->schema - kSchemaMax, &h->negative_spans, &h->negative_buckets);
  h->schema = kSchemaMax;
}

}  // namespace gauntlet::tsdb
