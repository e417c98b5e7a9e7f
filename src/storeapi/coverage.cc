#include "storeapi/coverage.h"

#include <algorithm>
#include <utility>

#include "storeapi/external_labels.h"

namespace gauntlet::storeapi {
namespace {

// The first samples of two replicas that began together are a scrape interval apart.
constexpr int64_t kScrapeIntervalMaxMs = 60'000;

Labels LabelsLeft(LabelsView labels, const std::vector<std::string>& names) {
  LabelsBuilder builder(labels);
  for (const std::string& name : names) builder.Del(name);
  return builder.Build();
}

}  // namespace

bool Coverage::Without(size_t index, const Status& why) {
  failed_[index] = true;
  if (why.code() == Code::kInvalid || why.code() == Code::kExhausted) return false;
  for (size_t i = 0; i < endpoints_.size(); ++i) {
    if (!failed_[i]) continue;
    const auto& tsdbs = endpoints_[i]->tsdbs;
    if (tsdbs.empty()) return false;  // it may have anything
    for (const TsdbInfo& tsdb : tsdbs) {
      if (tsdb.labels.empty()) return false;
      bool asked = tsdb.min_time_ms <= max_time_ms_ && tsdb.max_time_ms >= min_time_ms_ &&
                   AnyLabelSetMatches(matchers_, {tsdb.labels});
      if (asked && !Covered(tsdb)) return false;
    }
  }
  return true;
}

bool Coverage::Covered(const TsdbInfo& missing) const {
  const Labels labels = LabelsLeft(missing.labels, replica_labels_);
  std::vector<std::pair<int64_t, int64_t>> ranges;
  for (size_t i = 0; i < endpoints_.size(); ++i) {
    if (failed_[i]) continue;
    for (const TsdbInfo& tsdb : endpoints_[i]->tsdbs) {
      if (AnyLabelSetMatches(matchers_, {tsdb.labels}) && LabelsLeft(tsdb.labels, replica_labels_) == labels)
        ranges.emplace_back(tsdb.min_time_ms, tsdb.max_time_ms);
    }
  }
  std::sort(ranges.begin(), ranges.end());
  int64_t from = std::max(missing.min_time_ms, min_time_ms_), to = std::min(missing.max_time_ms, max_time_ms_);
  bool first = true;
  for (const auto& [min, max] : ranges) {
    if (min > (first ? from + kScrapeIntervalMaxMs : from)) return false;
    first = false;
    if (max >= to) return true;
    from = std::max(from, max + 1);
  }
  return false;
}

}  // namespace gauntlet::storeapi
