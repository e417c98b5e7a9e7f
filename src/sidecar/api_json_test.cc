#include "sidecar/api_json.h"

#include <gtest/gtest.h>

namespace gauntlet::sidecar {
namespace {

const Labels kExternal = Labels::From({{"replica", "a"}});

TEST(ApiJson, RulesKeepStateAndGetExternalLabels) {
  auto document =
      json::Document::Parse(R"j({"groups":[{"name":"g","file":"f.yml","interval":30,"limit":5,"evaluationTime":0.1,
    "lastEvaluation":"2026-01-05T00:00:00.5Z","rules":[
      {"type":"alerting","name":"A","query":"up == 0","duration":300,"keepFiringFor":60,"labels":{"severity":"page"},"annotations":{"x":"y"},
       "state":"firing","health":"ok","evaluationTime":0.2,"lastEvaluation":"0001-01-01T00:00:00Z",
       "alerts":[{"labels":{"alertname":"A"},"annotations":{},"state":"firing","activeAt":"2026-01-05T00:00:00Z","value":"1e+00"}]},
      {"type":"recording","name":"r","query":"sum(up)","health":"err","lastError":"bad"}]}]})j");
  ASSERT_TRUE(document.ok());
  auto groups = RuleGroupsFromJson(document->root(), kExternal);
  ASSERT_EQ(groups.size(), 1u);
  EXPECT_EQ(groups[0].last_evaluation_ns, 1767571200500000000);
  EXPECT_EQ(groups[0].limit, 5);
  ASSERT_EQ(groups[0].rules.size(), 2u);
  const rpc::Rule& alert = groups[0].rules[0];
  EXPECT_TRUE(alert.is_alert);
  EXPECT_EQ(alert.state, rpc::AlertState::kFiring);
  EXPECT_EQ(alert.labels.ToString(), R"({replica="a", severity="page"})");
  EXPECT_EQ(alert.last_evaluation_ns, rpc::kNeverNs);
  EXPECT_EQ(alert.keep_firing_for_seconds, 60);
  ASSERT_EQ(alert.alerts.size(), 1u);
  EXPECT_EQ(alert.alerts[0].labels.ToString(), R"({alertname="A", replica="a"})");
  EXPECT_EQ(alert.alerts[0].value, "1e+00");
  EXPECT_FALSE(groups[0].rules[1].is_alert);
  EXPECT_EQ(groups[0].rules[1].last_error, "bad");
}

TEST(ApiJson, TargetsMetadataExemplarsAndStatistics) {
  auto targets =
      json::Document::Parse(R"j({"activeTargets":[{"discoveredLabels":{"__address__":"x:1"},"labels":{"job":"n"},
    "scrapePool":"n","scrapeUrl":"http://x:1/metrics","lastError":"","lastScrape":"2026-01-05T00:00:00Z","lastScrapeDuration":0.5,
    "health":"up"}],"droppedTargets":[{"discoveredLabels":{"__address__":"y:1"}}]})j");
  auto discovery = TargetsFromJson(targets->root(), kExternal);
  ASSERT_EQ(discovery.active.size(), 1u);
  EXPECT_EQ(discovery.active[0].health, rpc::TargetHealth::kUp);
  EXPECT_EQ(discovery.active[0].labels.Get("replica"), "a");
  ASSERT_EQ(discovery.dropped.size(), 1u);

  auto metadata = json::Document::Parse(R"j({"up":[{"type":"gauge","help":"h","unit":""}]})j");
  EXPECT_EQ(MetadataFromJson(metadata->root()).at("up")[0].help, "h");

  auto exemplars = json::Document::Parse(
      R"j([{"seriesLabels":{"job":"n"},"exemplars":[{"labels":{"trace":"1"},"value":"6","timestamp":1600096945.479}]}])j");
  auto data = ExemplarsFromJson(exemplars->root(), kExternal);
  ASSERT_EQ(data.size(), 1u);
  EXPECT_EQ(data[0].exemplars[0].time_ms, 1600096945479);
  EXPECT_EQ(data[0].exemplars[0].value, 6);

  auto status = json::Document::Parse(R"j({"headStats":{"numSeries":3,"chunkCount":4,"minTime":1,"maxTime":2},
    "seriesCountByMetricName":[{"name":"up","value":3}]})j");
  auto entry = StatisticsFromJson(status->root());
  EXPECT_EQ(entry.series, 3u);
  EXPECT_EQ(entry.series_by_metric_name[0].name, "up");
}

TEST(ApiJson, WhatIsMissingIsEmpty) {
  auto empty = json::Document::Parse("{}");
  EXPECT_TRUE(RuleGroupsFromJson(empty->root(), kExternal).empty());
  EXPECT_TRUE(TargetsFromJson(empty->root(), kExternal).active.empty());
  EXPECT_EQ(StatisticsFromJson(empty->root()).series, 0u);
}

}  // namespace
}  // namespace gauntlet::sidecar
