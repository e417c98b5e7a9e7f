#include "api/control_json.h"

#include <map>
#include <string>

#include "api/result_json.h"
#include "model/time.h"
#include "query/control_merge.h"

namespace gauntlet::api {
namespace {

std::string TimeText(int64_t ns) { return ns == rpc::kNeverNs ? "0001-01-01T00:00:00Z" : FormatRfc3339Ns(ns); }

const char* StateText(rpc::AlertState state) {
  switch (state) {
    case rpc::AlertState::kFiring:
      return "firing";
    case rpc::AlertState::kPending:
      return "pending";
    case rpc::AlertState::kInactive:
      return "inactive";
    case rpc::AlertState::kUnknown:
      return "unknown";
  }
  return "unknown";
}

const char* HealthText(rpc::TargetHealth health) {
  switch (health) {
    case rpc::TargetHealth::kUp:
      return "up";
    case rpc::TargetHealth::kDown:
      return "down";
    case rpc::TargetHealth::kUnknown:
      return "unknown";
  }
  return "unknown";
}

const char* StrategyText(wire::PartialResponse strategy) {
  return strategy == wire::PartialResponse::kAbort ? "ABORT" : "WARN";
}

void WriteRule(json::Writer& writer, const rpc::Rule& rule) {
  writer.BeginObject();
  if (rule.is_alert) writer.StringMember("state", StateText(rule.state));
  writer.StringMember("name", rule.name).StringMember("query", rule.query);
  if (rule.is_alert)
    writer.Key("duration").Double(rule.for_seconds).Key("keepFiringFor").Double(rule.keep_firing_for_seconds);
  writer.Key("labels");
  WriteLabels(writer, rule.labels);
  if (rule.is_alert) {
    writer.Key("annotations");
    WriteLabels(writer, rule.annotations);
    writer.Key("alerts").BeginArray();
    for (const rpc::AlertInstance& alert : rule.alerts) WriteAlert(writer, alert);
    writer.EndArray();
  }
  writer.StringMember("health", rule.health);
  if (!rule.last_error.empty()) writer.StringMember("lastError", rule.last_error);
  writer.Key("evaluationTime")
      .Double(rule.evaluation_seconds)
      .StringMember("lastEvaluation", TimeText(rule.last_evaluation_ns));
  writer.StringMember("type", rule.is_alert ? "alerting" : "recording").EndObject();
}

void WriteList(json::Writer& writer, const char* key, const std::vector<rpc::Statistic>& list) {
  writer.Key(key).BeginArray();
  for (const rpc::Statistic& statistic : list) {
    writer.BeginObject().StringMember("name", statistic.name).Key("value").Uint(statistic.value).EndObject();
  }
  writer.EndArray();
}

}  // namespace

void WriteAlert(json::Writer& writer, const rpc::AlertInstance& alert) {
  writer.BeginObject().Key("labels");
  WriteLabels(writer, alert.labels);
  writer.Key("annotations");
  WriteLabels(writer, alert.annotations);
  writer.StringMember("state", StateText(alert.state));
  if (alert.active_at_ns) writer.StringMember("activeAt", TimeText(*alert.active_at_ns));
  writer.StringMember("value", alert.value)
      .StringMember("partialResponseStrategy", StrategyText(alert.partial_response))
      .EndObject();
}

void WriteRuleGroup(json::Writer& writer, const rpc::RuleGroup& group) {
  writer.BeginObject().StringMember("name", group.name).StringMember("file", group.file).Key("rules").BeginArray();
  for (const rpc::Rule& rule : group.rules) WriteRule(writer, rule);
  writer.EndArray()
      .Key("interval")
      .Double(group.interval_seconds)
      .Key("evaluationTime")
      .Double(group.evaluation_seconds);
  writer.StringMember("lastEvaluation", TimeText(group.last_evaluation_ns));
  writer.StringMember("partialResponseStrategy", StrategyText(group.partial_response))
      .IntMember("limit", group.limit)
      .EndObject();
}

void WriteTargets(json::Writer& writer, const rpc::TargetDiscovery& targets) {
  writer.BeginObject().Key("activeTargets").BeginArray();
  for (const rpc::ActiveTarget& target : targets.active) {
    writer.BeginObject().Key("discoveredLabels");
    WriteLabels(writer, target.discovered_labels);
    writer.Key("labels");
    WriteLabels(writer, target.labels);
    writer.StringMember("scrapePool", target.scrape_pool).StringMember("scrapeUrl", target.scrape_url);
    writer.StringMember("globalUrl", target.global_url).StringMember("lastError", target.last_error);
    writer.StringMember("lastScrape", TimeText(target.last_scrape_ns))
        .Key("lastScrapeDuration")
        .Double(target.last_scrape_seconds);
    writer.StringMember("health", HealthText(target.health)).EndObject();
  }
  writer.EndArray().Key("droppedTargets").BeginArray();
  for (const Labels& dropped : targets.dropped) {
    writer.BeginObject().Key("discoveredLabels");
    WriteLabels(writer, dropped);
    writer.EndObject();
  }
  writer.EndArray().EndObject();
}

void WriteStatistics(json::Writer& writer, const rpc::TsdbStatistics& statistics) {
  rpc::TsdbStatistics sum;
  for (const auto& [tenant, entry] : statistics) query::MergeStatistics({{"", entry}}, &sum);
  const rpc::TsdbStatisticsEntry& all = sum[""];
  writer.BeginObject().Key("headStats").BeginObject().Key("numSeries").Uint(all.series);
  writer.IntMember("numLabelPairs", all.label_pairs).IntMember("chunkCount", all.chunks);
  writer.IntMember("minTime", all.min_time_ms).IntMember("maxTime", all.max_time_ms).EndObject();
  WriteList(writer, "seriesCountByMetricName", all.series_by_metric_name);
  WriteList(writer, "labelValueCountByLabelName", all.values_by_label_name);
  WriteList(writer, "memoryInBytesByLabelName", all.memory_bytes_by_label_name);
  WriteList(writer, "seriesCountByLabelValuePair", all.series_by_label_pair);
  writer.EndObject();
}

void WriteStores(json::Writer& writer, const std::vector<query::EndpointStatus>& statuses) {
  std::map<std::string, std::vector<const query::EndpointStatus*>> by_component;
  for (const query::EndpointStatus& status : statuses) {
    if (!status.component.empty()) by_component[status.component].push_back(&status);
  }
  writer.BeginObject();
  for (const auto& [component, list] : by_component) {
    writer.Key(component).BeginArray();
    for (const query::EndpointStatus* status : list) {
      writer.BeginObject()
          .StringMember("name", status->name)
          .StringMember("lastCheck", FormatRfc3339Ms(status->last_check_ms));
      writer.Key("lastError");
      if (status->last_error.empty()) {
        writer.Null();
      } else {
        writer.String(status->last_error);
      }
      writer.Key("labelSets").BeginArray();
      for (const Labels& labels : status->label_sets) WriteLabels(writer, labels);
      writer.EndArray().IntMember("minTime", status->min_time_ms).IntMember("maxTime", status->max_time_ms).EndObject();
    }
    writer.EndArray();
  }
  writer.EndObject();
}

}  // namespace gauntlet::api
