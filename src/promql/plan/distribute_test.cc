#include "promql/plan/distribute.h"

#include <gtest/gtest.h>

#include "promql/plan/explain.h"
#include "promql/syntax/parser.h"

namespace gauntlet::promql {
namespace {

LeafData Data(std::vector<std::pair<std::string, std::string>> labels, int64_t min_ms = 0,
              int64_t max_ms = 10'000'000) {
  return {Labels::From(std::move(labels)), min_ms, max_ms};
}

Leaves TwoRegions() {
  Leaves leaves;
  leaves.leaves = {{"eu:1", true, {Data({{"region", "eu"}})}}, {"us:1", true, {Data({{"region", "us"}})}}};
  return leaves;
}

// The plan of a range query, as EXPLAIN prints it.
std::string PlanOf(std::string_view query, const Leaves& leaves, int64_t start_ms = 1'000'000,
                   int64_t step_ms = 60'000) {
  PlanOptions options;
  options.start_ms = start_ms;
  options.end_ms = step_ms == 0 ? start_ms : start_ms + 600'000;
  options.step_ms = step_ms;
  ParserOptions parser;
  parser.experimental_functions = true;
  auto expr = ParseExpr(query, parser);
  EXPECT_TRUE(expr.ok()) << expr.status().message();
  auto plan = MakePlan(**expr, options, &leaves, query);
  EXPECT_TRUE(plan.ok());
  std::string text = ExplanationText(Explain(*plan->root));
  EXPECT_EQ(plan->distributed, text.find("remote at") != std::string::npos);
  return text;
}

bool IsLocal(std::string_view query, const Leaves& leaves, int64_t start_ms = 1'000'000, int64_t step_ms = 60'000) {
  return PlanOf(query, leaves, start_ms, step_ms).find("remote at") == std::string::npos;
}

const RemoteNode* FindRemote(const PlanNode& node) {
  if (node.kind == PlanKind::kRemote) return &static_cast<const RemoteNode&>(node);
  for (const PlanNode* child : PlanChildren(node)) {
    if (const RemoteNode* found = FindRemote(*child)) return found;
  }
  return nullptr;
}

TEST(Distribute, ASumIsTakenByEachLeafAndAgainHere) {
  EXPECT_EQ(PlanOf("sum by (job) (rate(x[5m]))", TwoRegions()),
            "sum by (job)\n"
            "  remote at eu:1, us:1\n"
            "    sum by (job)\n"
            "      rate\n"
            "        select x[5m]\n");
  EXPECT_EQ(PlanOf("count(x)", TwoRegions()),
            "sum\n"
            "  remote at eu:1, us:1\n"
            "    count\n"
            "      select x\n");
}

TEST(Distribute, AnAverageIsSumByCount) {
  EXPECT_EQ(PlanOf("avg by (job) (x)", TwoRegions()),
            "/\n"
            "  sum by (job)\n"
            "    remote at eu:1, us:1\n"
            "      sum by (job)\n"
            "        select x\n"
            "  sum by (job)\n"
            "    remote at eu:1, us:1\n"
            "      count by (job)\n"
            "        select x\n");
  // A division would drop the name.
  EXPECT_EQ(PlanOf("avg by (__name__) (x)", TwoRegions()).rfind("avg by (__name__)\n  remote at", 0), 0u);
}

TEST(Distribute, WhatKeepsTheLabelsThatTellLeavesApartGoesWhole) {
  for (const char* query : {"x", "rate(x[5m])", "-abs(x) * 2", "topk by (region) (2, x)",
                            "quantile without (pod) (0.9, x)", "sum by (region) (x) / on (region) sum by (region) (y)",
                            "x and y", "label_replace(x, \"a\", \"$1\", \"b\", \"(.*)\")",
                            "max_over_time(rate(x[5m])[10m:1m])", "count by (region, job) (x > 1)", "timestamp(x)"}) {
    EXPECT_EQ(PlanOf(query, TwoRegions()).rfind("remote at eu:1, us:1\n", 0), 0u)
        << query << PlanOf(query, TwoRegions());
  }
}

TEST(Distribute, WhatNeedsTheSeriesOfAllLeavesIsDoneHereOverWhatTheyAnswer) {
  EXPECT_EQ(PlanOf("topk(2, rate(x[5m]))", TwoRegions()).rfind("topk\n  2\n  remote at", 0), 0u);
  EXPECT_EQ(PlanOf("quantile by (job) (0.5, x)", TwoRegions()).rfind("quantile by (job)\n  0.5\n  remote at", 0), 0u);
  EXPECT_EQ(PlanOf("absent(x)", TwoRegions()).rfind("absent\n  remote at", 0), 0u);
  EXPECT_EQ(PlanOf("x / ignoring (region) group_left () y", TwoRegions()).rfind("/ ignoring (region)", 0), 0u);
  EXPECT_EQ(PlanOf("histogram_quantile(0.9, sum by (le) (rate(x[5m])))", TwoRegions())
                .rfind("histogram_quantile\n  0.9\n  sum by (le)\n    remote at", 0),
            0u);
  EXPECT_EQ(
      PlanOf("label_replace(x, \"region\", \"$1\", \"b\", \"(.*)\")", TwoRegions()).find("label_replace\n  remote at"),
      0u);
}

TEST(Distribute, WhatALeafCouldSeeOtherwiseStaysHere) {
  const Leaves leaves = TwoRegions();
  EXPECT_TRUE(IsLocal("absent_over_time(x[5m])", leaves));
  EXPECT_TRUE(IsLocal("vector(1)", leaves));
  EXPECT_TRUE(IsLocal("1 + 1", leaves));
  EXPECT_TRUE(IsLocal("x", leaves, 1'000'500)) << "the Query API knows seconds";
  EXPECT_TRUE(IsLocal("x", leaves, 1'000'000, 1'500));
  // The step of the subquery is a leaf's own matter: what is in it goes, not the whole.
  EXPECT_EQ(PlanOf("max_over_time(rate(x[5m])[10m:])", leaves).rfind("max_over_time\n  subquery", 0), 0u);
  // `@ end()` within a subquery is the end of the whole query.
  EXPECT_TRUE(IsLocal("max_over_time((x @ end())[10m:])", leaves));
  EXPECT_FALSE(IsLocal("sum(x offset 5m)", leaves));
}

TEST(Distribute, NothingGoesWhereASeriesMayBeInTwoLeavesOrALeafCannotBeAsked) {
  Leaves leaves = TwoRegions();
  leaves.leaves[1].data[0].labels = Labels::From({{"region", "eu"}});
  EXPECT_TRUE(IsLocal("sum(x)", leaves));
  leaves.leaves[1].data[0].labels = Labels::From({{"zone", "1"}});
  EXPECT_TRUE(IsLocal("sum(x)", leaves)) << "a series of the other leaf may have this zone";
  leaves.leaves[1].data[0].labels = Labels();
  EXPECT_TRUE(IsLocal("sum(x)", leaves));
  leaves = TwoRegions();
  leaves.leaves[1].answers_query = false;
  EXPECT_TRUE(IsLocal("sum(x)", leaves));
  EXPECT_FALSE(IsLocal("sum(x{region=\"eu\"})", leaves)) << "that leaf has none of these";
  leaves.leaves[1].data[0].max_time_ms = 10;
  EXPECT_FALSE(IsLocal("sum(x)", leaves)) << "nor of these times";
}

TEST(Distribute, OneLabelThatTellsLeavesApartIsEnough) {
  Leaves leaves;
  leaves.leaves = {
      {"a", true, {Data({{"cluster", "1"}, {"region", "eu"}}), Data({{"cluster", "2"}, {"region", "eu"}})}},
      {"b", true, {Data({{"cluster", "1"}, {"region", "us"}})}}};
  EXPECT_EQ(PlanOf("topk by (region) (2, x)", leaves).find("remote at"), 0u);
  EXPECT_EQ(PlanOf("topk by (cluster) (2, x)", leaves).find("topk"), 0u);
  leaves.partition_labels = {"cluster"};
  EXPECT_TRUE(IsLocal("sum(x)", leaves));
  // Neither alone, both together.
  leaves.partition_labels.clear();
  leaves.leaves[1].data.push_back(Data({{"cluster", "3"}, {"region", "eu"}}));
  EXPECT_EQ(PlanOf("topk by (region, cluster) (2, x)", leaves).find("remote at"), 0u);
  EXPECT_EQ(PlanOf("topk by (region) (2, x)", leaves).find("topk"), 0u);
}

TEST(Distribute, TheTextStandsAtItsPlace) {
  const std::string query = "vector(1) +\n  sum(rate(x[5m])) * 2";
  auto expr = ParseExpr(query);
  PlanOptions options;
  options.start_ms = options.end_ms = 1'000'000;
  const Leaves leaves = TwoRegions();
  auto plan = MakePlan(**expr, options, &leaves, query);
  const RemoteNode* remote = FindRemote(*plan->root);
  ASSERT_NE(remote, nullptr);
  EXPECT_EQ(remote->text, "           \n  sum(rate(x[5m]))");
}

TEST(Distribute, WhereTheRangeMattersPartsOfSubqueriesStay) {
  Leaves leaves = TwoRegions();
  EXPECT_FALSE(IsLocal("max_over_time(x[10m:7m]) + vector(1)", leaves));
  leaves.range_matters = true;
  EXPECT_TRUE(IsLocal("absent(max_over_time(sum(x)[10m:7m]))", leaves))
      << "it is read from earlier on than a leaf would";
  EXPECT_FALSE(IsLocal("sum(x)", leaves));
  leaves.function_matters = true;
  EXPECT_FALSE(IsLocal("sum(x)", leaves));
  EXPECT_TRUE(IsLocal("avg(x)", leaves)) << "a leaf would take the counts of downsampled data for count";
}

TEST(Distribute, WhatOneTimeOrdersStaysHere) {
  auto head = [](std::string_view query, int64_t step_ms) {
    const std::string plan = PlanOf(query, TwoRegions(), 1'000'000, step_ms);
    return plan.substr(0, plan.find('\n'));
  };
  EXPECT_EQ(head("topk by (region) (2, x)", 60'000), "remote at eu:1, us:1");
  for (const char* query :
       {"topk by (region) (2, x)", "limitk by (region) (2, x)", "limit_ratio by (region) (0.5, x)"}) {
    EXPECT_NE(head(query, 0), "remote at eu:1, us:1") << query;
  }
  // One step of a longer range is neither an instant nor what a leaf would evaluate so.
  EXPECT_TRUE(IsLocal("x", TwoRegions(), 1'000'000, 900'000));
}

}  // namespace
}  // namespace gauntlet::promql
