#include "promql/plan/partition.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

namespace gauntlet::promql {
namespace {

void CollectSelects(const PlanNode& node, std::vector<const SelectSpec*>* out) {
  if (const SelectSpec* select = SelectOf(node)) out->push_back(select);
  for (const PlanNode* child : PlanChildren(node)) CollectSelects(*child, out);
}

// May the series of this data match?
bool MayMatch(const LeafData& data, const SelectSpec& select) {
  if (data.max_time_ms < select.start_ms || data.min_time_ms > select.end_ms) return false;
  return std::all_of(select.matchers.begin(), select.matchers.end(), [&](const Matcher& m) {
    std::string_view value = data.labels.Get(m.name());
    return value.empty() || m.Matches(value);
  });
}

}  // namespace

std::vector<std::string> ValuesOf(const Labels& labels, const Partition& partition) {
  std::vector<std::string> values;
  for (const std::string& name : partition) values.emplace_back(labels.Get(name));
  return values;
}

bool Targets::TellsApart(const Partition& partition) const {
  std::map<std::vector<std::string>, uint32_t> owners;
  for (const Target& target : leaves) {
    for (const LeafData* data : target.data) {
      std::vector<std::string> values = ValuesOf(data->labels, partition);
      if (std::find(values.begin(), values.end(), "") != values.end()) return false;
      if (owners.try_emplace(std::move(values), target.leaf).first->second != target.leaf) return false;
    }
  }
  return true;
}

Targets TargetsOf(const PlanNode& node, const Leaves& leaves) {
  std::vector<const SelectSpec*> selects;
  CollectSelects(node, &selects);
  Targets targets;
  for (uint32_t i = 0; i < leaves.leaves.size(); ++i) {
    const Leaf& leaf = leaves.leaves[i];
    Targets::Target target{i, {}};
    for (const LeafData& data : leaf.data) {
      auto may_match = [&](const SelectSpec* select) { return MayMatch(data, *select); };
      if (std::any_of(selects.begin(), selects.end(), may_match)) target.data.push_back(&data);
    }
    if (target.data.empty()) continue;
    targets.can_be_asked &= leaf.answers_query;
    targets.leaves.push_back(std::move(target));
  }
  return targets;
}

std::vector<Partition> Partitions(const Targets& targets, const Leaves& leaves) {
  if (targets.leaves.size() == 1) return {{}};
  const std::vector<std::string>& named = leaves.partition_labels;
  auto is_named = [&](std::string_view name) { return std::find(named.begin(), named.end(), name) != named.end(); };
  Partition all;
  for (const Label& label : targets.leaves[0].data[0]->labels) {
    if (named.empty() || is_named(label.name)) all.emplace_back(label.name);
  }
  std::vector<Partition> found;
  for (const std::string& name : all) {
    if (targets.TellsApart({name})) found.push_back({name});
  }
  if (found.empty() && !all.empty() && targets.TellsApart(all)) found.push_back(all);
  return found;
}

}  // namespace gauntlet::promql
