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

TEST(Optimizer, SelectorsAreSharedWhereTheirSeriesAreHeldAnyway) {
  EXPECT_EQ(Shape("(a - b) / a"),
            "/\n"
            "  -\n"
            "    select a (made once for 2 uses)\n"
            "    select b\n"
            "  select a (made once for 2 uses)\n");
  EXPECT_EQ(Shape("sum(rate(a[1m]) - 2 * rate(a[1m]))"),
            "sum\n"
            "  -\n"
            "    rate (made once for 2 uses)\n"
            "      select a[1m]\n"
            "    *\n"
            "      2\n"
            "      rate (made once for 2 uses)\n"
            "        select a[1m]\n");
}

TEST(Optimizer, VectorsThatPassBySeriesBySeriesAreNotHeld) {
  for (const char* query : {"sum(a) / count(a)", "sum(rate(a[1m])) / count(rate(a[1m]))", "topk(1, a) or a",
                            "a / scalar(a)", "max_over_time(a[1m:10s]) - min_over_time(a[1m:10s])", "timestamp(a) - a",
                            "absent(a) or a", "(a + b) * (b + a) / histogram_count(c) / histogram_quantile(0.5, c)"}) {
    const std::string shape = Shape(query);
    if (std::string_view(query).starts_with("(a + b)")) {
      // a and b are, c is not: one of its places wants no buckets.
      EXPECT_EQ(shape.find("select c (made"), std::string::npos) << shape;
      EXPECT_NE(shape.find("select b (made once for 2 uses)"), std::string::npos) << shape;
      continue;
    }
    EXPECT_EQ(shape.find("made once"), std::string::npos) << shape;
  }
}

TEST(Optimizer, MatchersReachTheOtherSideOfArithmeticOverAllLabels) {
  for (const char* op : {"+", "/", ">", "== bool", "atan2"}) {
    EXPECT_EQ(Shape(std::string("a{x=\"1\"} ") + op + " b{y=~\"2|3\"}"),
              std::string(op) + "\n  select a{x=\"1\", y=~\"2|3\"}\n  select b{y=~\"2|3\", x=\"1\"}\n");
  }
  for (const char* query :
       {"a{x=\"1\"} + on (x) b", "a{x=\"1\"} + ignoring (y) b", "{x=\"1\"} + b", "a{x=\"1\"} + {y=\"1\"}",
        "rate(a{x=\"1\"}[1m]) + rate(b[1m])", "a{x=\"1\"} + sum(b)", "a{x=\"1\"} or b"}) {
    const std::string shape = Shape(query);
    EXPECT_EQ(shape.find("x=\"1\""), shape.rfind("x=\"1\"")) << shape;
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
  // The right side might have two series for one group, which is an error.
  EXPECT_EQ(Shape("a{x=\"1\"} * on (x) b"), "* on (x)\n  select a{x=\"1\"}\n  select b\n");
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
