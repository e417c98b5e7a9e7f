#include "tsdb/chunkenc/bucket_layout.h"

#include <cstdint>

namespace gauntlet::tsdb {
namespace {

constexpr int32_t kSchemaMax = 8;

// Adds `count` to the bucket at `index`, which is not below the last one there.
class BucketBuilder {
 public:
  BucketBuilder(std::vector<HistogramSpan>* spans, std::vector<double>* buckets) : spans_(spans), buckets_(buckets) {}

  void Add(int64_t index, double count) {
    if (!buckets_->empty() && index == last_) {
      buckets_->back() += count;
      return;
    }
    if (!spans_->empty() && index == last_ + 1) {
      ++spans_->back().length;
    } else {
      spans_->push_back({static_cast<int32_t>(spans_->empty() ? index : index - last_ - 1), 1});
    }
    buckets_->push_back(count);
    last_ = index;
  }

 private:
  std::vector<HistogramSpan>* spans_;
  std::vector<double>* buckets_;
  int64_t last_ = 0;
};

// Bucket i covers (base^(i-1), base^i], so at a schema lower by `by` it lies in bucket ceil(i / 2^by).
void Reduce(int by, std::vector<HistogramSpan>* spans, std::vector<double>* buckets) {
  std::vector<HistogramSpan> new_spans;
  std::vector<double> new_buckets;
  BucketBuilder builder(&new_spans, &new_buckets);
  int64_t index = 0;
  size_t at = 0;
  for (const auto& span : *spans) {
    index += span.offset;
    for (uint32_t i = 0; i < span.length && at < buckets->size(); ++i, ++index) {
      builder.Add(((index - 1) >> by) + 1, (*buckets)[at++]);
    }
  }
  *spans = std::move(new_spans);
  *buckets = std::move(new_buckets);
}

}  // namespace

void ReduceToKnownSchema(Histogram* h) {
  if (h->schema <= kSchemaMax) return;
  Reduce(h->schema - kSchemaMax, &h->positive_spans, &h->positive_buckets);
  Reduce(h->schema - kSchemaMax, &h->negative_spans, &h->negative_buckets);
  h->schema = kSchemaMax;
}

}  // namespace gauntlet::tsdb
