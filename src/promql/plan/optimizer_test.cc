#include "promql/plan/optimizer.h"

#include <gtest/gtest.h>

#include "promql/plan/explain.h"
#include "promql/plan/planner.h"
#include "promql/syntax/parser.h"

namespace gauntlet::promql {
namespace {

std::string Shape(std::string_view query) {
  auto expr = ParseExpr(query, {.experimental_functions = true});
  if (!expr.ok()) return std::string(expr.status().message());
  PlanOptions options;
  options.start_ms = 0;
  options.end_ms = 60'000;
  options.step_ms = 10'000;
  auto plan = MakePlan(**expr, options);
  return plan.ok() ? ExplanationText(Explain(*plan->root)) : std::string(plan.status().message());
}

TEST(Optimizer, EqualAggregationsAreMadeOnce) {
  EXPECT_EQ(Shape("sum(a) / (sum(a) + sum(b))"),
            "/\n"
            "  sum (made once for 2 uses)\n"
            "    select a\n"
            "  +\n"
            "    sum (made once for 2 uses)\n"
            "      select a\n"
            "    sum\n"
            "      select b\n");
}

TEST(Optimizer, TheLargestEqualPartIsShared) {
  EXPECT_EQ(Shape("abs(sum(a) - 1) or abs(sum(a) - 1)"),
            "or\n"
            "  abs (made once for 2 uses)\n"
            "    -\n"
            "      sum\n"
            "        select a\n"
            "      1\n"
            "  abs (made once for 2 uses)\n"
            "    -\n"
            "      sum\n"
            "        select a\n"
            "      1\n");
}

TEST(Optimizer, WhatDiffersInAnythingIsNot) {
  for (const char* query :
       {"sum(a) / sum(a offset 1m)", "sum(a) / sum by (x) (a)", "sum(a) / sum without () (a)", "sum(a) / sum(a @ 1)",
        "sum(rate(a[1m])) / sum(rate(a[2m]))", "sum(a{x=\"1\"}) / sum(a{x=\"2\"})", "sum(a) / avg(a)",
        "sum(a) / max_over_time(sum(a)[1m:10s])", "quantile(0.1, a) / quantile(0.2, a)",
        "sum(a == bool 1) / sum(a == 1)", "sum(a + on (x) b) / sum(a + on (y) b)"}) {
    EXPECT_EQ(Shape(query).find("made once"), std::string::npos) << query;
  }
}

TEST(Optimizer, VectorsThatPassBySeriesBySeriesAreNotHeld) {
  for (const char* query : {"a / a", "rate(a[1m]) / rate(a[1m])", "topk(2, a) / topk(2, a)", "abs(a) or abs(a)"}) {
    EXPECT_EQ(Shape(query).find("made once"), std::string::npos) << query;
  }
}

TEST(Optimizer, MatchersReachTheOtherSideOfAndAndUnless) {
  EXPECT_EQ(Shape("a{x=\"1\"} and b{y=~\"2|3\"}"),
            "and\n  select a{x=\"1\", y=~\"2|3\"}\n  select b{y=~\"2|3\", x=\"1\"}\n");
  EXPECT_EQ(Shape("a{x=\"1\"} unless b{y=~\"2|3\"}"), "unless\n  select a{x=\"1\"}\n  select b{y=~\"2|3\", x=\"1\"}\n");
  EXPECT_EQ(Shape("a{x=\"1\",z=\"4\"} and on (x) b"),
            "and on (x)\n  select a{x=\"1\", z=\"4\"}\n  select b{x=\"1\"}\n");
  EXPECT_EQ(Shape("a{x=\"1\",z=\"4\"} and ignoring (x) b"),
            "and ignoring (x)\n  select a{x=\"1\", z=\"4\"}\n  select b{z=\"4\"}\n");
  EXPECT_EQ(Shape("a{x=\"1\"} or b"), "or\n  select a{x=\"1\"}\n  select b\n");
  // The right side might have series twice, which is an error.
  EXPECT_EQ(Shape("a{x=\"1\"} * b"), "*\n  select a{x=\"1\"}\n  select b\n");
  EXPECT_EQ(Shape("a{x=\"1\"} and rate(b[1m])"), "and\n  select a{x=\"1\"}\n  rate\n    select b[1m]\n");
}

TEST(Optimizer, TheNodeIsThatOfTheLastPlace) {
  auto expr = ParseExpr("sum(a) / (sum(b) - sum(a))");
  ASSERT_TRUE(expr.ok());
  auto plan = MakePlan(**expr, {});
  ASSERT_TRUE(plan.ok());
  const auto& divide = static_cast<const BinaryNode&>(*plan->root);
  EXPECT_EQ(divide.lhs.get(), static_cast<const BinaryNode&>(*divide.rhs).rhs.get());
  EXPECT_EQ(divide.lhs->pos.start, 19);
}

}  // namespace
}  // namespace gauntlet::promql
