#include "storeapi/stream_adapters.h"

#include <algorithm>
#include <utility>

#include "base/memory_budget.h"
#include "storeapi/external_labels.h"
#include "storeapi/shard_filter.h"

namespace gauntlet::storeapi {
namespace {

class ShardStream : public SeriesStream {
 public:
  ShardStream(std::unique_ptr<SeriesStream> inner, ShardInfo shard)
      : inner_(std::move(inner)), filter_(std::move(shard)) {}

  Result<SeriesBatchPtr> Next() override {
    while (true) {
      GN_ASSIGN(SeriesBatchPtr batch, inner_->Next());
      if (!batch) return batch;
      auto kept = std::make_shared<SeriesBatch>();
      for (size_t i = 0; i < batch->size(); ++i) {
        if (filter_.Matches(batch->labels(i))) kept->Add(batch->labels(i), batch->chunks(i));
      }
      if (kept->size() == 0) continue;
      if (kept->size() == batch->size()) return batch;
      kept->KeepAlive(std::move(batch));
      return SeriesBatchPtr(std::move(kept));
    }
  }

  std::vector<std::string> TakeWarnings() override { return inner_->TakeWarnings(); }

 private:
  std::unique_ptr<SeriesStream> inner_;
  ShardFilter filter_;
};

class DropAndSortStream : public SeriesStream {
 public:
  DropAndSortStream(std::unique_ptr<SeriesStream> inner, const std::vector<std::string>& labels, MemoryBudget* budget)
      : inner_(std::move(inner)), rewriter_(LabelsView(), labels), charge_(budget, "sorting a store's answer") {}

  Result<SeriesBatchPtr> Next() override {
    if (!read_) GN_TRY(ReadAll());
    if (next_ == series_.size()) return SeriesBatchPtr();
    auto batch = std::make_shared<SeriesBatch>();
    for (; next_ < series_.size() && batch->size() < kBatchSeries; ++next_) {
      Entry& entry = series_[next_];
      batch->Add(entry.labels, entry.batch->chunks(entry.index));
      batch->KeepAlive(std::move(entry.batch));
    }
    return SeriesBatchPtr(std::move(batch));
  }

  std::vector<std::string> TakeWarnings() override { return inner_->TakeWarnings(); }

 private:
  struct Entry {
    Labels labels;
    SeriesBatchPtr batch;
    uint32_t index;
  };

  Status ReadAll() {
    read_ = true;
    std::string packed;
    while (true) {
      GN_ASSIGN(SeriesBatchPtr batch, inner_->Next());
      if (!batch) break;
      GN_TRY(charge_.Grow(batch->memory_bytes() * 2));  // the batch, and the labels made of it
      for (uint32_t i = 0; i < batch->size(); ++i) {
        rewriter_.Rewrite(batch->labels(i), &packed);
        series_.push_back({Labels::FromPacked(packed), batch, i});
      }
    }
    std::stable_sort(series_.begin(), series_.end(),
                     [](const Entry& a, const Entry& b) { return a.labels < b.labels; });
    return Status();
  }

  std::unique_ptr<SeriesStream> inner_;
  LabelRewriter rewriter_;
  MemoryCharge charge_;
  std::vector<Entry> series_;
  size_t next_ = 0;
  bool read_ = false;
};

class LimitStream : public SeriesStream {
 public:
  LimitStream(std::unique_ptr<SeriesStream> inner, uint64_t series_max, uint64_t samples_max)
      : inner_(std::move(inner)), series_max_(series_max), samples_max_(samples_max) {}

  Result<SeriesBatchPtr> Next() override {
    GN_ASSIGN(SeriesBatchPtr batch, inner_->Next());
    if (!batch) return batch;
    series_ += batch->size();
    for (size_t i = 0; i < batch->size(); ++i) samples_ += batch->chunks(i).size() * 120;
    GN_TRY(Check("series", series_max_, series_));
    GN_TRY(Check("samples", samples_max_, samples_));
    return batch;
  }

  std::vector<std::string> TakeWarnings() override { return inner_->TakeWarnings(); }

 private:
  static Status Check(const char* what, uint64_t limit, uint64_t got) {
    if (limit == 0 || got <= limit) return Status();
    return Status(Code::kExhausted, std::string("exceeded ") + what + " limit: limit " + std::to_string(limit) +
                                        " violated (got " + std::to_string(got) + ")");
  }

  std::unique_ptr<SeriesStream> inner_;
  const uint64_t series_max_, samples_max_;
  uint64_t series_ = 0, samples_ = 0;
};

}  // namespace

std::unique_ptr<SeriesStream> KeepShard(std::unique_ptr<SeriesStream> inner, ShardInfo shard) {
  return std::make_unique<ShardStream>(std::move(inner), std::move(shard));
}

std::unique_ptr<SeriesStream> DropLabelsAndSort(std::unique_ptr<SeriesStream> inner, std::vector<std::string> labels,
                                                MemoryBudget* budget) {
  return std::make_unique<DropAndSortStream>(std::move(inner), labels, budget);
}

std::unique_ptr<SeriesStream> EnforceLimits(std::unique_ptr<SeriesStream> inner, uint64_t series_max,
                                            uint64_t samples_max) {
  if (series_max == 0 && samples_max == 0) return inner;
  return std::make_unique<LimitStream>(std::move(inner), series_max, samples_max);
}

}  // namespace gauntlet::storeapi
