// Groups are taken in the order of their length. With n series selected so far, another group of lists costs its bytes
// and spares the entries of those series that it rules out. The first group that costs more than it spares is
// postponed, and with it all that are longer; so is one that has very many lists for the few series that there are.

#include "store/lazy_postings.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

namespace gauntlet::store {
namespace {

struct Group {
  std::string_view name;
  tsdb::PostingsPlan::Union lists;
  bool subtract = false, postponed = false;
  uint64_t ids = 0;
};

uint64_t IdsIn(const tsdb::PostingsPlan::Union& lists) {
  uint64_t ids = 0;
  for (const tsdb::PostingsKey& key : lists) {
    uint64_t bytes = key.range.end - key.range.begin;
    ids += bytes > 4 ? (bytes - 4) / 4 : 0;
  }
  return ids;
}

std::vector<Group> GroupsOf(const tsdb::PostingsPlan& plan) {
  std::vector<Group> groups;
  for (const auto& lists : plan.intersect) groups.push_back({lists[0].name, lists, false, false, IdsIn(lists)});
  std::map<std::string_view, tsdb::PostingsPlan::Union> subtract;
  for (const tsdb::PostingsKey& key : plan.subtract) subtract[key.name].push_back(key);
  for (auto& [name, lists] : subtract) groups.push_back({name, std::move(lists), true, false, 0});
  for (Group& group : groups) group.ids = IdsIn(group.lists);
  std::sort(groups.begin(), groups.end(),
            [](const Group& a, const Group& b) { return a.ids != b.ids ? a.ids < b.ids : a.name < b.name; });
  return groups;
}

uint64_t Share(uint64_t n, double ratio) { return static_cast<uint64_t>(std::ceil(static_cast<double>(n) * ratio)); }

}  // namespace

PostponedPostings PostponeCostly(const LazyPostingsOptions& options, const Matchers& matchers,
                                 tsdb::PostingsPlan* plan) {
  PostponedPostings postponed;
  if (!options.enabled || plan->nothing) return postponed;
  bool all = plan->intersect.size() == 1 && plan->intersect[0][0].name.empty();
  std::vector<Group> groups = GroupsOf(*plan);
  if (all || groups.size() < 2) return postponed;

  size_t i = 0;
  uint64_t ruled_out = 0;
  for (; groups[i].subtract; ++i) ruled_out += groups[i].ids;
  uint64_t series = groups[i].ids - std::min(groups[i].ids, Share(ruled_out, options.match_ratio));
  const uint64_t series_at_first = series;
  for (++i; i < groups.size() && series > 0; ++i) {
    Group& group = groups[i];
    if (options.keys_per_series_max > 0 &&
        static_cast<double>(group.lists.size()) > options.keys_per_series_max * static_cast<double>(series_at_first)) {
      group.postponed = true;
      ++postponed.by_keys;
      continue;
    }
    uint64_t spared = group.subtract ? Share(std::min(series, group.ids), options.match_ratio)
                                     : Share(series, 1 - options.match_ratio);
    if (group.ids * 4 > spared * options.series_bytes) break;
    series = group.subtract ? series - spared : Share(series, options.match_ratio);
  }
  for (; i < groups.size(); ++i) {
    groups[i].postponed = true;
    ++postponed.by_size;
  }
  if (postponed.by_size + postponed.by_keys == 0) return postponed;

  plan->intersect.clear();
  plan->subtract.clear();
  for (Group& group : groups) {
    if (group.postponed) {
      postponed.list_bytes += group.ids * 4;
      for (const Matcher& m : matchers) {
        if (m.name() == group.name) postponed.matchers.push_back(m);
      }
    } else if (group.subtract) {
      plan->subtract.insert(plan->subtract.end(), group.lists.begin(), group.lists.end());
    } else {
      plan->intersect.push_back(std::move(group.lists));
    }
  }
  return postponed;
}

}  // namespace gauntlet::store
