#include "tsdb/db/block_queryable.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/memory_budget.h"
#include "storage/strings.h"
#include "tsdb/block/merged_series.h"

namespace gauntlet::tsdb {
namespace {

using storage::SelectHints;
using storage::Strings;

// Holds its blocks open; the chunks are decoded from their mappings when they are read.
class BlockSeriesOfQuery : public storage::Series {
 public:
  BlockSeriesOfQuery(std::shared_ptr<const BlockList> blocks, const MergedEntry& entry, int64_t mint_ms,
                     int64_t maxt_ms)
      : blocks_(std::move(blocks)), entry_(entry), mint_ms_(mint_ms), maxt_ms_(maxt_ms) {}

  LabelsView labels() const override { return entry_.labels(); }
  Status Read(Samples* out) const override { return ReadMerged(entry_, mint_ms_, maxt_ms_, out); }
  size_t memory_bytes() const override {
    return sizeof(*this) + entry_.packed_labels.capacity() + entry_.chunks.capacity() * sizeof(ChunkMeta) +
           entry_.parts.capacity() * sizeof(SeriesPart);
  }

 private:
  std::shared_ptr<const BlockList> blocks_;
  MergedEntry entry_;
  int64_t mint_ms_, maxt_ms_;
};

class BlockSeriesSet : public storage::SeriesSet {
 public:
  BlockSeriesSet(std::shared_ptr<const BlockList> blocks, Result<std::unique_ptr<MergedSeries>> merged, int64_t mint_ms,
                 int64_t maxt_ms, int64_t limit, MemoryBudget* budget)
      : blocks_(std::move(blocks)),
        mint_ms_(mint_ms),
        maxt_ms_(maxt_ms),
        left_(limit > 0 ? limit : -1),
        charge_(budget, "cursors of blocks") {
    if (merged.ok()) {
      merged_ = *std::move(merged);
      status_ = charge_.Set(merged_->memory_bytes());
    } else {
      status_ = merged.status();
    }
  }

  Result<std::unique_ptr<storage::Series>> Next() override {
    GN_TRY(status_);
    if (left_ == 0) return std::unique_ptr<storage::Series>();
    Result<bool> more = merged_->Next(&entry_);
    if (!more.ok()) {
      status_ = more.status();
      return status_;
    }
    if (!*more) {
      left_ = 0;
      return std::unique_ptr<storage::Series>();
    }
    if (left_ > 0) --left_;
    return std::unique_ptr<storage::Series>(std::make_unique<BlockSeriesOfQuery>(blocks_, entry_, mint_ms_, maxt_ms_));
  }
  const Annotations& annotations() const override { return annotations_; }

 private:
  std::shared_ptr<const BlockList> blocks_;
  std::unique_ptr<MergedSeries> merged_;
  Status status_;
  const int64_t mint_ms_, maxt_ms_;
  int64_t left_;  // series; negative = all
  MemoryCharge charge_;
  MergedEntry entry_;
  Annotations annotations_;
};

class BlockQuerier : public storage::Querier {
 public:
  BlockQuerier(std::shared_ptr<const BlockList> blocks, int64_t mint_ms, int64_t maxt_ms)
      : blocks_(std::move(blocks)), mint_ms_(mint_ms), maxt_ms_(maxt_ms) {}

  std::unique_ptr<storage::SeriesSet> Select(const SelectHints& hints, std::span<const Matcher> matchers,
                                             const Cancel& cancel, MemoryBudget* budget) override {
    int64_t mint = std::max(mint_ms_, hints.start_ms), maxt = std::min(maxt_ms_, hints.end_ms);
    return std::make_unique<BlockSeriesSet>(blocks_, MergedSeries::Select(blocks_, matchers, mint, maxt, cancel), mint,
                                            maxt, hints.limit, budget);
  }
  Result<Strings> LabelNames(std::span<const Matcher> matchers, int64_t limit, const Cancel& cancel) override {
    return Collect(limit, [&](const Block& block, size_t most) { return block.LabelNames(matchers, most, cancel); });
  }
  Result<Strings> LabelValues(const std::string& name, std::span<const Matcher> matchers, int64_t limit,
                              const Cancel& cancel) override {
    return Collect(limit,
                   [&](const Block& block, size_t most) { return block.LabelValues(name, matchers, most, cancel); });
  }

 private:
  // The union over the blocks. Each is asked for one more than the limit, so that a cut is seen.
  template <typename Ask>
  Result<Strings> Collect(int64_t limit, const Ask& ask) {
    std::vector<Strings> parts;
    for (const BlockPtr& block : *blocks_) {
      if (!block->Overlaps(mint_ms_, maxt_ms_)) continue;
      GN_ASSIGN(std::vector<std::string> values, ask(*block, limit > 0 ? static_cast<size_t>(limit) + 1 : 0));
      parts.push_back({std::move(values), {}});
    }
    Strings all = storage::MergeStrings(std::move(parts));
    storage::Truncate(all, limit);
    return all;
  }

  std::shared_ptr<const BlockList> blocks_;
  const int64_t mint_ms_, maxt_ms_;
};

}  // namespace

Result<std::unique_ptr<storage::Querier>> BlockQueryable::MakeQuerier(int64_t mint_ms, int64_t maxt_ms) {
  return MakeBlockQuerier(directory_.blocks(), mint_ms, maxt_ms);
}

std::unique_ptr<storage::Querier> MakeBlockQuerier(std::shared_ptr<const BlockList> blocks, int64_t mint_ms,
                                                   int64_t maxt_ms) {
  return std::make_unique<BlockQuerier>(std::move(blocks), mint_ms, maxt_ms);
}

}  // namespace gauntlet::tsdb
