#include "query/control_merge.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "promql/syntax/parser.h"

namespace gauntlet::query {
namespace {

// What makes two rules the same one.
auto Identity(const rpc::Rule& rule) {
  return std::tuple(rule.is_alert, rule.name, rule.labels, rule.query, rule.for_seconds, rule.keep_firing_for_seconds,
                    rule.annotations.packed());
}

// The better of two copies sorts first.
bool BetterRule(const rpc::Rule& a, const rpc::Rule& b) {
  if (a.state != b.state) return a.state > b.state;
  return a.last_evaluation_ns > b.last_evaluation_ns;
}

void MergeGroup(const std::vector<std::string>& replica_labels, rpc::RuleGroup* group) {
  for (rpc::Rule& rule : group->rules) {
    rule.labels = Without(rule.labels, replica_labels);
    for (rpc::AlertInstance& alert : rule.alerts) alert.labels = Without(alert.labels, replica_labels);
  }
  std::stable_sort(group->rules.begin(), group->rules.end(), [](const rpc::Rule& a, const rpc::Rule& b) {
    auto x = Identity(a), y = Identity(b);
    if (x != y) return x < y;
    return BetterRule(a, b);
  });
  auto end = std::unique(group->rules.begin(), group->rules.end(),
                         [](const rpc::Rule& a, const rpc::Rule& b) { return Identity(a) == Identity(b); });
  group->rules.erase(end, group->rules.end());
}

// Labels that hold templates ({{ $value }}) are not compared: nobody knows what they become.
bool MatchesRule(const Matchers& matchers, const rpc::Rule& rule) {
  return std::all_of(matchers.begin(), matchers.end(), [&](const Matcher& m) {
    std::string_view value = rule.labels.Get(m.name());
    return value.find("{{") == std::string_view::npos && m.Matches(value);
  });
}

int HealthRank(rpc::TargetHealth health) {
  switch (health) {
    case rpc::TargetHealth::kUp:
      return 2;
    case rpc::TargetHealth::kDown:
      return 1;
    default:
      return 0;
  }
}

void AddUp(const std::vector<rpc::Statistic>& from, std::vector<rpc::Statistic>* into) {
  std::map<std::string, uint64_t> sums;
  for (const auto* list : {&from, static_cast<const std::vector<rpc::Statistic>*>(into)}) {
    for (const rpc::Statistic& statistic : *list) sums[statistic.name] += statistic.value;
  }
  into->clear();
  for (auto& [name, value] : sums) into->push_back({name, value});
  std::stable_sort(into->begin(), into->end(), [](const auto& a, const auto& b) { return a.value > b.value; });
}

}  // namespace

Labels Without(LabelsView labels, const std::vector<std::string>& names) {
  LabelsBuilder builder(labels);
  for (const std::string& name : names) builder.Del(name);
  return builder.Build();
}

Status MergeRules(const rpc::RulesRequest& request, const std::vector<std::string>& replica_labels,
                  std::vector<rpc::RuleGroup>* groups) {
  std::vector<Matchers> selectors;
  for (const std::string& text : request.matchers) {
    GN_ASSIGN(Matchers matchers, promql::ParseMetricSelector(text));
    selectors.push_back(std::move(matchers));
  }
  std::map<std::pair<std::string, std::string>, rpc::RuleGroup> by_key;
  for (rpc::RuleGroup& group : *groups) {
    if (!request.WantsGroup(group)) continue;
    auto [at, fresh] = by_key.try_emplace({group.file, group.name}, group);
    if (!fresh) at->second.rules.insert(at->second.rules.end(), group.rules.begin(), group.rules.end());
  }
  groups->clear();
  for (auto& [key, group] : by_key) {
    std::erase_if(group.rules, [&](const rpc::Rule& rule) {
      if (request.type == rpc::RuleType::kAlert && !rule.is_alert) return true;
      if (request.type == rpc::RuleType::kRecord && rule.is_alert) return true;
      if (!request.WantsRule(rule.name)) return true;
      return !selectors.empty() &&
             std::none_of(selectors.begin(), selectors.end(), [&](const Matchers& m) { return MatchesRule(m, rule); });
    });
    MergeGroup(replica_labels, &group);
    bool filtered = !selectors.empty() || !request.rule_names.empty() || request.type != rpc::RuleType::kAll;
    if (!group.rules.empty() || !filtered) groups->push_back(std::move(group));
  }
  return Status();
}

void MergeTargets(const std::vector<std::string>& replica_labels, rpc::TargetDiscovery* targets) {
  for (rpc::ActiveTarget& target : targets->active) {
    target.labels = Without(target.labels, replica_labels);
    target.discovered_labels = Without(target.discovered_labels, replica_labels);
  }
  auto identity = [](const rpc::ActiveTarget& t) {
    return std::tie(t.scrape_pool, t.scrape_url, t.discovered_labels.packed(), t.labels.packed());
  };
  std::stable_sort(targets->active.begin(), targets->active.end(),
                   [&](const rpc::ActiveTarget& a, const rpc::ActiveTarget& b) {
                     if (identity(a) != identity(b)) return identity(a) < identity(b);
                     if (a.health != b.health) return HealthRank(a.health) > HealthRank(b.health);
                     return a.last_scrape_ns > b.last_scrape_ns;
                   });
  auto active_end = std::unique(targets->active.begin(), targets->active.end(),
                                [&](const auto& a, const auto& b) { return identity(a) == identity(b); });
  targets->active.erase(active_end, targets->active.end());
  for (Labels& dropped : targets->dropped) dropped = Without(dropped, replica_labels);
  std::sort(targets->dropped.begin(), targets->dropped.end());
  targets->dropped.erase(std::unique(targets->dropped.begin(), targets->dropped.end()), targets->dropped.end());
}

void MergeMetadata(const rpc::MetricMetadata& from, rpc::MetricMetadata* into) {
  for (const auto& [metric, entries] : from) {
    auto& known = (*into)[metric];
    for (const rpc::MetricMeta& entry : entries) {
      if (std::find(known.begin(), known.end(), entry) == known.end()) known.push_back(entry);
    }
  }
}

void MergeExemplars(const std::vector<std::string>& replica_labels, std::vector<rpc::ExemplarData>* data) {
  std::map<Labels, std::vector<rpc::Exemplar>> series;
  for (rpc::ExemplarData& one : *data) {
    auto& exemplars = series[Without(one.series_labels, replica_labels)];
    exemplars.insert(exemplars.end(), one.exemplars.begin(), one.exemplars.end());
  }
  data->clear();
  for (auto& [labels, exemplars] : series) {
    auto identity = [](const rpc::Exemplar& e) { return std::tuple(e.time_ms, e.labels.packed(), e.value); };
    std::stable_sort(exemplars.begin(), exemplars.end(),
                     [&](const auto& a, const auto& b) { return identity(a) < identity(b); });
    auto end = std::unique(exemplars.begin(), exemplars.end(),
                           [&](const auto& a, const auto& b) { return identity(a) == identity(b); });
    exemplars.erase(end, exemplars.end());
    data->push_back({labels, std::move(exemplars)});
  }
}

void MergeStatistics(const rpc::TsdbStatistics& from, rpc::TsdbStatistics* into) {
  for (const auto& [tenant, entry] : from) {
    auto [at, fresh] = into->try_emplace(tenant, entry);
    if (fresh) continue;
    rpc::TsdbStatisticsEntry& sum = at->second;
    sum.series += entry.series;
    sum.label_pairs += entry.label_pairs;
    sum.chunks += entry.chunks;
    sum.min_time_ms = std::min(sum.min_time_ms, entry.min_time_ms);
    sum.max_time_ms = std::max(sum.max_time_ms, entry.max_time_ms);
    AddUp(entry.series_by_metric_name, &sum.series_by_metric_name);
    AddUp(entry.values_by_label_name, &sum.values_by_label_name);
    AddUp(entry.memory_bytes_by_label_name, &sum.memory_bytes_by_label_name);
    AddUp(entry.series_by_label_pair, &sum.series_by_label_pair);
  }
}

void CutStatistics(int32_t limit, rpc::TsdbStatistics* statistics) {
  if (limit <= 0) return;
  for (auto& [tenant, entry] : *statistics) {
    for (auto* list : {&entry.series_by_metric_name, &entry.values_by_label_name, &entry.memory_bytes_by_label_name,
                       &entry.series_by_label_pair}) {
      if (list->size() > static_cast<size_t>(limit)) list->resize(limit);
    }
  }
}

}  // namespace gauntlet::query
