// Many sources as one: series sets merged by labels, series with the same labels chained by time.
//
// Upstream: prometheus storage/merge.go (NewMergeSeriesSet, ChainedSeriesMerge), storage/secondary.go
// Threads:  a merged set is for one thread at a time, a MergeQuerier thread-safe.

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "storage/storage.h"

namespace gauntlet::storage {

// The union of the sets. Series with the same labels become one; of samples at the same time that of the first set
// counts. `limit` series at most, 0 = all. An error of any set ends the union.
std::unique_ptr<SeriesSet> MergeSeriesSets(std::vector<std::unique_ptr<SeriesSet>> sets, int64_t limit = 0);

// Appends the union by time of two or more sample columns; at equal times the first one's sample counts. Histograms
// whose neighbour came from elsewhere lose their counter reset hint.
void ChainSamples(const std::vector<Samples>& parts, Samples* out);

struct MergeSource {
  std::unique_ptr<Querier> querier;
  // A secondary source (remote read) that fails before its first series adds a warning and nothing else.
  bool secondary = false;
};

class MergeQuerier : public Querier {
 public:
  explicit MergeQuerier(std::vector<MergeSource> sources) : sources_(std::move(sources)) {}

  std::unique_ptr<SeriesSet> Select(const SelectHints& hints, std::span<const Matcher> matchers, const Cancel& cancel,
                                    MemoryBudget* budget) override;
  Result<Strings> LabelNames(std::span<const Matcher> matchers, int64_t limit, const Cancel& cancel) override;
  Result<Strings> LabelValues(const std::string& name, std::span<const Matcher> matchers, int64_t limit,
                              const Cancel& cancel) override;

 private:
  template <typename Ask>
  Result<Strings> AskAll(int64_t limit, const Ask& ask);

  std::vector<MergeSource> sources_;
};

}  // namespace gauntlet::storage
