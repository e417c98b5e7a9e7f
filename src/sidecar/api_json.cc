#include "sidecar/api_json.h"

#include <string>

#include "model/float_text.h"
#include "model/time.h"
#include "sidecar/prometheus_api.h"

namespace gauntlet::sidecar {
namespace {

std::string Text(json::Value object, std::string_view key) {
  return std::string(object.Get(key).String().value_or(""));
}
double Number(json::Value object, std::string_view key) { return object.Get(key).Double().value_or(0); }

Labels Extended(const Labels& own, LabelsView external) {
  LabelsBuilder builder(own);
  for (const Label& label : external) builder.Set(label.name, label.value);
  return builder.Build();
}

// Prometheus' zero time is before what nanoseconds reach.
int64_t TimeNs(json::Value object, std::string_view key) {
  std::string text = Text(object, key);
  if (text.empty() || text.starts_with("0001-")) return rpc::kNeverNs;
  Result<int64_t> ns = ParseRfc3339Ns(text);
  return ns.ok() ? *ns : rpc::kNeverNs;
}

rpc::AlertState StateOf(std::string_view text) {
  if (text == "firing") return rpc::AlertState::kFiring;
  if (text == "pending") return rpc::AlertState::kPending;
  if (text == "inactive") return rpc::AlertState::kInactive;
  return rpc::AlertState::kUnknown;
}

rpc::AlertInstance AlertFromJson(json::Value alert, LabelsView external) {
  rpc::AlertInstance instance;
  instance.labels = Extended(LabelsFromJson(alert.Get("labels")), external);
  instance.annotations = LabelsFromJson(alert.Get("annotations"));
  instance.state = StateOf(Text(alert, "state"));
  if (int64_t at = TimeNs(alert, "activeAt"); at != rpc::kNeverNs) instance.active_at_ns = at;
  instance.value = Text(alert, "value");
  return instance;
}

rpc::Rule RuleFromJson(json::Value json, LabelsView external) {
  rpc::Rule rule;
  rule.is_alert = Text(json, "type") == "alerting";
  rule.name = Text(json, "name");
  rule.query = Text(json, "query");
  rule.labels = Extended(LabelsFromJson(json.Get("labels")), external);
  rule.health = Text(json, "health");
  rule.last_error = Text(json, "lastError");
  rule.evaluation_seconds = Number(json, "evaluationTime");
  rule.last_evaluation_ns = TimeNs(json, "lastEvaluation");
  if (!rule.is_alert) return rule;
  rule.state = StateOf(Text(json, "state"));
  rule.for_seconds = Number(json, "duration");
  rule.keep_firing_for_seconds = Number(json, "keepFiringFor");
  rule.annotations = LabelsFromJson(json.Get("annotations"));
  json::Value alerts = json.Get("alerts");
  for (size_t i = 0; i < alerts.size(); ++i) rule.alerts.push_back(AlertFromJson(alerts[i], external));
  return rule;
}

rpc::TargetHealth HealthOf(std::string_view text) {
  if (text == "up") return rpc::TargetHealth::kUp;
  return text == "down" ? rpc::TargetHealth::kDown : rpc::TargetHealth::kUnknown;
}

std::vector<rpc::Statistic> StatisticsList(json::Value list) {
  std::vector<rpc::Statistic> statistics;
  for (size_t i = 0; i < list.size(); ++i) {
    statistics.push_back({Text(list[i], "name"), list[i].Get("value").Uint().value_or(0)});
  }
  return statistics;
}

}  // namespace

std::vector<rpc::RuleGroup> RuleGroupsFromJson(json::Value data, LabelsView external) {
  std::vector<rpc::RuleGroup> groups;
  json::Value list = data.Get("groups");
  for (size_t i = 0; i < list.size(); ++i) {
    rpc::RuleGroup group;
    group.name = Text(list[i], "name");
    group.file = Text(list[i], "file");
    group.interval_seconds = Number(list[i], "interval");
    group.evaluation_seconds = Number(list[i], "evaluationTime");
    group.last_evaluation_ns = TimeNs(list[i], "lastEvaluation");
    group.limit = list[i].Get("limit").Int().value_or(0);
    json::Value rules = list[i].Get("rules");
    for (size_t j = 0; j < rules.size(); ++j) group.rules.push_back(RuleFromJson(rules[j], external));
    groups.push_back(std::move(group));
  }
  return groups;
}

rpc::TargetDiscovery TargetsFromJson(json::Value data, LabelsView external) {
  rpc::TargetDiscovery targets;
  json::Value active = data.Get("activeTargets");
  for (size_t i = 0; i < active.size(); ++i) {
    rpc::ActiveTarget target;
    target.discovered_labels = Extended(LabelsFromJson(active[i].Get("discoveredLabels")), external);
    target.labels = Extended(LabelsFromJson(active[i].Get("labels")), external);
    target.scrape_pool = Text(active[i], "scrapePool");
    target.scrape_url = Text(active[i], "scrapeUrl");
    target.global_url = Text(active[i], "globalUrl");
    target.last_error = Text(active[i], "lastError");
    target.last_scrape_ns = TimeNs(active[i], "lastScrape");
    target.last_scrape_seconds = Number(active[i], "lastScrapeDuration");
    target.health = HealthOf(Text(active[i], "health"));
    targets.active.push_back(std::move(target));
  }
  json::Value dropped = data.Get("droppedTargets");
  for (size_t i = 0; i < dropped.size(); ++i) {
    targets.dropped.push_back(Extended(LabelsFromJson(dropped[i].Get("discoveredLabels")), external));
  }
  return targets;
}

rpc::MetricMetadata MetadataFromJson(json::Value data) {
  rpc::MetricMetadata metadata;
  for (size_t i = 0; i < data.size(); ++i) {
    auto& entries = metadata[std::string(data.key(i))];
    for (size_t j = 0; j < data[i].size(); ++j) {
      entries.push_back({Text(data[i][j], "type"), Text(data[i][j], "help"), Text(data[i][j], "unit")});
    }
  }
  return metadata;
}

std::vector<rpc::ExemplarData> ExemplarsFromJson(json::Value data, LabelsView external) {
  std::vector<rpc::ExemplarData> result;
  for (size_t i = 0; i < data.size(); ++i) {
    rpc::ExemplarData series;
    series.series_labels = Extended(LabelsFromJson(data[i].Get("seriesLabels")), external);
    json::Value exemplars = data[i].Get("exemplars");
    for (size_t j = 0; j < exemplars.size(); ++j) {
      rpc::Exemplar exemplar;
      exemplar.labels = LabelsFromJson(exemplars[j].Get("labels"));
      exemplar.value = ParseFloat(Text(exemplars[j], "value")).ok() ? *ParseFloat(Text(exemplars[j], "value")) : 0;
      exemplar.time_ms = static_cast<int64_t>(Number(exemplars[j], "timestamp") * 1000 + 0.5);
      series.exemplars.push_back(std::move(exemplar));
    }
    result.push_back(std::move(series));
  }
  return result;
}

rpc::TsdbStatisticsEntry StatisticsFromJson(json::Value data) {
  rpc::TsdbStatisticsEntry entry;
  json::Value head = data.Get("headStats");
  entry.series = head.Get("numSeries").Uint().value_or(0);
  entry.label_pairs = head.Get("numLabelPairs").Int().value_or(0);
  entry.chunks = head.Get("chunkCount").Int().value_or(0);
  entry.min_time_ms = head.Get("minTime").Int().value_or(0);
  entry.max_time_ms = head.Get("maxTime").Int().value_or(0);
  entry.series_by_metric_name = StatisticsList(data.Get("seriesCountByMetricName"));
  entry.values_by_label_name = StatisticsList(data.Get("labelValueCountByLabelName"));
  entry.memory_bytes_by_label_name = StatisticsList(data.Get("memoryInBytesByLabelName"));
  entry.series_by_label_pair = StatisticsList(data.Get("seriesCountByLabelValuePair"));
  return entry;
}

}  // namespace gauntlet::sidecar
