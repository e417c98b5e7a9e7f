#include "storeapi/endpoint.h"

#include <algorithm>

#include "storeapi/external_labels.h"

namespace gauntlet::storeapi {

std::vector<Labels> Endpoint::label_sets() const {
  std::vector<Labels> sets;
  for (const TsdbInfo& tsdb : tsdbs) sets.push_back(tsdb.labels);
  std::sort(sets.begin(), sets.end());
  sets.erase(std::unique(sets.begin(), sets.end()), sets.end());
  return sets;
}

std::string Endpoint::ToString() const {
  std::string sets;
  for (const Labels& labels : label_sets()) sets += (sets.empty() ? "" : ",") + labels.ToString();
  return "Addr: " + address + " LabelSets: " + sets + " MinTime: " + std::to_string(min_time_ms) +
         " MaxTime: " + std::to_string(max_time_ms);
}

bool MayHave(const Endpoint& endpoint, int64_t min_time_ms, int64_t max_time_ms, const Matchers& matchers) {
  if (endpoint.min_time_ms > max_time_ms || endpoint.max_time_ms < min_time_ms) return false;
  if (endpoint.tsdbs.empty()) return true;
  return std::any_of(endpoint.tsdbs.begin(), endpoint.tsdbs.end(), [&](const TsdbInfo& tsdb) {
    return tsdb.min_time_ms <= max_time_ms && tsdb.max_time_ms >= min_time_ms &&
           AnyLabelSetMatches(matchers, {tsdb.labels});
  });
}

bool MatchesStore(const Endpoint& endpoint, const std::vector<Matchers>& store_matchers) {
  if (store_matchers.empty()) return true;
  std::vector<Labels> sets = endpoint.label_sets();
  if (sets.empty()) sets.emplace_back();
  return std::any_of(store_matchers.begin(), store_matchers.end(), [&](const Matchers& matchers) {
    return std::any_of(sets.begin(), sets.end(), [&](const Labels& set) {
      return std::all_of(matchers.begin(), matchers.end(), [&](const Matcher& m) {
        if (m.name() == "__address__") return m.Matches(endpoint.address);
        return !set.Has(m.name()) || m.Matches(set.Get(m.name()));
      });
    });
  });
}

}  // namespace gauntlet::storeapi
