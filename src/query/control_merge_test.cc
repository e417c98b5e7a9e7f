#include "query/control_merge.h"

#include <gtest/gtest.h>

namespace gauntlet::query {
namespace {

rpc::Rule Alert(const char* name, const char* replica, rpc::AlertState state, int64_t evaluated_ns) {
  rpc::Rule rule;
  rule.is_alert = true;
  rule.name = name;
  rule.query = "up == 0";
  rule.labels = Labels::From({{"replica", replica}, {"severity", "page"}});
  rule.state = state;
  rule.last_evaluation_ns = evaluated_ns;
  return rule;
}

rpc::RuleGroup Group(const char* name, std::vector<rpc::Rule> rules) {
  rpc::RuleGroup group;
  group.name = name;
  group.file = "f.yml";
  group.rules = std::move(rules);
  return group;
}

TEST(MergeRules, OfCopiesTheMoreCriticalThenTheNewerStays) {
  std::vector<rpc::RuleGroup> groups = {
      Group("g", {Alert("A", "a", rpc::AlertState::kPending, 5), Alert("B", "a", rpc::AlertState::kFiring, 1)}),
      Group("g", {Alert("A", "b", rpc::AlertState::kFiring, 1), Alert("B", "b", rpc::AlertState::kFiring, 9)}),
      Group("h", {})};
  ASSERT_TRUE(MergeRules({}, {"replica"}, &groups).ok());
  ASSERT_EQ(groups.size(), 2u);
  ASSERT_EQ(groups[0].rules.size(), 2u);
  EXPECT_EQ(groups[0].rules[0].state, rpc::AlertState::kFiring);
  EXPECT_EQ(groups[0].rules[0].labels.ToString(), R"({severity="page"})");
  EXPECT_EQ(groups[0].rules[1].last_evaluation_ns, 9);
}

TEST(MergeRules, WithoutReplicaLabelsCopiesStay) {
  std::vector<rpc::RuleGroup> groups = {
      Group("g", {Alert("A", "a", rpc::AlertState::kPending, 5), Alert("A", "b", rpc::AlertState::kPending, 5)})};
  ASSERT_TRUE(MergeRules({}, {}, &groups).ok());
  EXPECT_EQ(groups[0].rules.size(), 2u);
}

TEST(MergeRules, FiltersByNameAndSelectorButNotByTemplates) {
  rpc::Rule templated = Alert("T", "a", rpc::AlertState::kInactive, 0);
  templated.labels = Labels::From({{"severity", "{{ $labels.level }}"}});
  auto all = [&] {
    return std::vector<rpc::RuleGroup>{Group("g", {Alert("A", "a", rpc::AlertState::kInactive, 0), templated})};
  };
  rpc::RulesRequest request;
  request.matchers = {R"({severity="page"})"};
  auto groups = all();
  ASSERT_TRUE(MergeRules(request, {}, &groups).ok());
  ASSERT_EQ(groups[0].rules.size(), 1u);
  EXPECT_EQ(groups[0].rules[0].name, "A");
  request = {};
  request.rule_names = {"T"};
  groups = all();
  ASSERT_TRUE(MergeRules(request, {}, &groups).ok());
  EXPECT_EQ(groups[0].rules[0].name, "T");
  request.rule_groups = {"other"};
  groups = all();
  ASSERT_TRUE(MergeRules(request, {}, &groups).ok());
  EXPECT_TRUE(groups.empty());
  request.matchers = {"{"};
  EXPECT_EQ(MergeRules(request, {}, &groups).code(), Code::kInvalid);
}

TEST(MergeTargets, TheHealthyCopyStays) {
  rpc::ActiveTarget down, up;
  down.scrape_url = up.scrape_url = "http://x/metrics";
  down.labels = Labels::From({{"job", "n"}, {"replica", "a"}});
  up.labels = Labels::From({{"job", "n"}, {"replica", "b"}});
  down.health = rpc::TargetHealth::kDown;
  down.last_scrape_ns = 100;
  up.health = rpc::TargetHealth::kUp;
  up.last_scrape_ns = 1;
  rpc::TargetDiscovery targets{{down, up}, {Labels::From({{"replica", "a"}}), Labels::From({{"replica", "b"}})}};
  MergeTargets({"replica"}, &targets);
  ASSERT_EQ(targets.active.size(), 1u);
  EXPECT_EQ(targets.active[0].health, rpc::TargetHealth::kUp);
  EXPECT_EQ(targets.dropped.size(), 1u);
}

TEST(MergeExemplars, SeriesOfReplicasBecomeOneWithoutDoubles) {
  rpc::Exemplar one{Labels::From({{"trace", "1"}}), 5, 100}, two{Labels::From({{"trace", "2"}}), 6, 50};
  std::vector<rpc::ExemplarData> data = {{Labels::From({{"job", "n"}, {"replica", "a"}}), {one}},
                                         {Labels::From({{"job", "n"}, {"replica", "b"}}), {one, two}}};
  MergeExemplars({"replica"}, &data);
  ASSERT_EQ(data.size(), 1u);
  ASSERT_EQ(data[0].exemplars.size(), 2u);
  EXPECT_EQ(data[0].exemplars[0].time_ms, 50);
}

TEST(MergeMetadata, DifferentEntriesAreAllKept) {
  rpc::MetricMetadata into = {{"up", {{"gauge", "h", ""}}}};
  MergeMetadata({{"up", {{"gauge", "h", ""}, {"counter", "h", ""}}}, {"x", {{"gauge", "", ""}}}}, &into);
  EXPECT_EQ(into.at("up").size(), 2u);
  EXPECT_EQ(into.size(), 2u);
}

TEST(MergeStatistics, TenantsAddUpAndListsAreCut) {
  rpc::TsdbStatisticsEntry a, b;
  a.series = 3;
  a.min_time_ms = 5;
  a.max_time_ms = 9;
  a.series_by_metric_name = {{"up", 2}, {"x", 1}};
  b = a;
  b.min_time_ms = 1;
  b.series_by_metric_name = {{"x", 5}};
  rpc::TsdbStatistics sum;
  MergeStatistics({{"", a}}, &sum);
  MergeStatistics({{"", b}}, &sum);
  EXPECT_EQ(sum[""].series, 6u);
  EXPECT_EQ(sum[""].min_time_ms, 1);
  EXPECT_EQ(sum[""].series_by_metric_name[0], (rpc::Statistic{"x", 6}));
  CutStatistics(1, &sum);
  EXPECT_EQ(sum[""].series_by_metric_name.size(), 1u);
}

}  // namespace
}  // namespace gauntlet::query
