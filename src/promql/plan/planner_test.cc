#include "promql/plan/planner.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "promql/syntax/parser.h"

namespace gauntlet::promql {
namespace {

Result<Plan> Make(std::string_view query, int64_t start_ms, int64_t end_ms = 0, int64_t lookback_ms = 5000) {
  auto expr = ParseExpr(query, {.experimental_functions = true, .extended_range_selectors = true});
  if (!expr.ok()) return expr.status();
  PlanOptions options;
  options.start_ms = start_ms;
  options.end_ms = end_ms == 0 ? start_ms : end_ms;
  options.step_ms = end_ms == 0 ? 0 : 1000;
  options.lookback_delta_ms = lookback_ms;
  return MakePlan(**expr, options);
}

void CollectHints(const PlanNode& node, std::vector<std::string>* out) {
  if (const SelectSpec* select = SelectOf(node)) {
    std::string text = fmt::format("{}..{}", select->start_ms, select->end_ms);
    if (select->step_ms != 0) text += fmt::format(" step {}", select->step_ms);
    if (select->range_ms != 0) text += fmt::format(" range {}", select->range_ms);
    if (!select->func.empty()) text += " " + select->func;
    if (select->by) text += " by";
    if (!select->grouping.empty()) text += fmt::format(" ({})", fmt::join(select->grouping, ","));
    out->push_back(text);
  }
  for (const PlanNode* child : PlanChildren(node)) CollectHints(*child, out);
}

std::string Hints(std::string_view query, int64_t start_ms, int64_t end_ms = 0) {
  auto plan = Make(query, start_ms, end_ms);
  if (!plan.ok()) return std::string(plan.status().message());
  std::vector<std::string> hints;
  CollectHints(*plan->root, &hints);
  return fmt::format("{}", fmt::join(hints, "; "));
}

// The kinds of the nodes, with '!' before an invariant part and the number of steps where it changes.
std::string Shape(const PlanNode& node, uint32_t steps) {
  std::string text;
  if (node.kind == PlanKind::kStepInvariant) {
    return "once(" + Shape(*static_cast<const StepInvariantNode&>(node).expr, 1) + ")";
  }
  EXPECT_EQ(node.grid.steps, steps);
  text = PlanOperatorName(node);
  std::vector<std::string> children;
  uint32_t below = node.kind == PlanKind::kSubquery ? static_cast<const SubqueryNode&>(node).expr->grid.steps : steps;
  for (const PlanNode* child : PlanChildren(node)) children.push_back(Shape(*child, below));
  return children.empty() ? text : fmt::format("{}({})", text, fmt::join(children, ", "));
}

std::string Shape(std::string_view query) {
  auto plan = Make(query, 100'000, 102'000);
  return plan.ok() ? Shape(*plan->root, 3) : std::string(plan.status().message());
}

TEST(Planner, HintsOfInstantSelectors) {
  EXPECT_EQ(Hints("foo", 10'000), "5001..10000");
  EXPECT_EQ(Hints("foo @ 15", 10'000), "10001..15000");
  EXPECT_EQ(Hints("foo @ 1", 10'000), "-3999..1000");
  EXPECT_EQ(Hints("foo offset 2s", 10'000), "3001..8000");
  EXPECT_EQ(Hints("foo", 10'000, 20'000), "5001..20000 step 1000");
}

TEST(Planner, HintsOfRangeSelectors) {
  EXPECT_EQ(Hints("foo[2m]", 200'000), "80001..200000 range 120000");
  EXPECT_EQ(Hints("foo[2m] @ 300", 200'000), "180001..300000 range 120000");
  EXPECT_EQ(Hints("foo[2m] @ 200 offset 2m", 300'000), "-39999..80000 range 120000");
  EXPECT_EQ(Hints("rate(foo[2m] offset 2m)", 300'000, 500'000), "60001..380000 step 1000 range 120000 rate");
  EXPECT_EQ(Hints("rate(foo[2m] anchored)", 300'000), "175001..300000 range 120000 rate");
  EXPECT_EQ(Hints("rate(foo[2m] smoothed)", 300'000), "175001..305000 range 120000 rate");
}

TEST(Planner, HintsWithinSubqueries) {
  EXPECT_EQ(Hints("count_over_time(foo[2m:1s] offset 10s)", 300'000), "165001..290000 step 1000 count_over_time");
  EXPECT_EQ(Hints("count_over_time((foo offset 10s)[2m:1s] @ 100 offset 10s)", 300'000),
            "-44999..80000 step 1000 count_over_time");
  // `@` on the selector is stronger than what the subquery around it says.
  EXPECT_EQ(Hints("count_over_time((foo @ 200 offset 10s)[2m:1s] @ 100 offset 10s)", 300'000),
            "185001..190000 step 1000 count_over_time");
  EXPECT_EQ(Hints("sum_over_time(sum_over_time(m[100s])[100s:25s] @ 50)[3s:1s] @ 3000", 100'000),
            "-149999..50000 step 25000 range 100000 sum_over_time");
}

TEST(Planner, HintsNameTheNearestFunctionAndTheGroupingDirectlyAbove) {
  EXPECT_EQ(Hints("sum by (b, a) (foo)", 10'000), "5001..10000 sum by (a,b)");
  EXPECT_EQ(Hints("sum without (a) ((foo))", 10'000), "5001..10000 sum (a)");
  EXPECT_EQ(Hints("sum by (a) (avg_over_time(foo[1s]))", 10'000), "9001..10000 range 1000 avg_over_time");
  EXPECT_EQ(Hints("sum by (a) (max by (b) (foo))", 10'000), "5001..10000 max by (b)");
  EXPECT_EQ(Hints("sum(-foo)", 10'000), "5001..10000 sum");
  EXPECT_EQ(Hints("sum(foo + bar)", 10'000), "5001..10000; 5001..10000");
}

TEST(Planner, TimesOfAllSelectorsTogether) {
  auto plan = Make("foo @ 50 + rate(bar[2s]) + baz @ 900", 100'000, 500'000);
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(plan->min_time_ms, 45'001);
  EXPECT_EQ(plan->max_time_ms, 900'000);
  plan = Make("1 + time()", 100'000);
  EXPECT_EQ(plan->min_time_ms, 0);
  EXPECT_EQ(plan->max_time_ms, 0);
}

TEST(Planner, InvariantPartsAreEvaluatedOnce) {
  EXPECT_EQ(Shape("foo"), "select");
  EXPECT_EQ(Shape("foo @ 1"), "once(select)");
  EXPECT_EQ(Shape("foo + bar @ 1"), "+(select, once(select))");
  EXPECT_EQ(Shape("time() + time()"), "+(time, time)");
  EXPECT_EQ(Shape("pi() + 1"), "once(+(pi, number))");
  EXPECT_EQ(Shape("foo + 2"), "+(select, number)");
  EXPECT_EQ(Shape("sum(rate(foo[5m] @ 1))"), "once(sum(rate(range select)))");
  EXPECT_EQ(Shape("vector(1)"), "once(vector(number))");
  EXPECT_EQ(Shape("vector(time())"), "vector(time)");
  EXPECT_EQ(Shape("timestamp(foo @ 1)"), "once(timestamp(select))");
  EXPECT_EQ(Shape("timestamp(abs(foo @ 1))"), "timestamp(once(abs(select)))");
  EXPECT_EQ(Shape("predict_linear(foo[5m] @ 1, 2)"), "predict_linear(range select, number)");
}

TEST(Planner, AnAggregationsParameterIsNotPrepared) {
  EXPECT_EQ(Shape("topk(scalar(foo @ 1), bar)"), "topk(scalar(select), select)");
  EXPECT_EQ(Shape("topk(scalar(foo), bar @ 1)"), "once(topk(scalar(select), select))");
}

TEST(Planner, SubqueriesHaveAlignedGridsOfTheirOwn) {
  auto plan = Make("max_over_time(foo[30s:7s] offset 1s)", 100'000, 110'000);
  ASSERT_TRUE(plan.ok());
  const auto& call = static_cast<const RangeFunctionNode&>(*plan->root);
  const auto& subquery = static_cast<const SubqueryNode&>(*call.range);
  // (100 - 1 - 30, 110 - 1] in steps of 7: 70 .. 105.
  EXPECT_EQ(subquery.expr->grid, (StepGrid{70'000, 7'000, 6}));
  EXPECT_EQ(subquery.shift_ms, 1000);

  plan = Make("foo[30s:10s]", 100'000);
  // The window is open on the left: 70 is out.
  EXPECT_EQ(static_cast<const SubqueryNode&>(*plan->root).expr->grid, (StepGrid{80'000, 10'000, 3}));
  plan = Make("foo[30s:10s]", -100'000);
  EXPECT_EQ(static_cast<const SubqueryNode&>(*plan->root).expr->grid, (StepGrid{-120'000, 10'000, 3}));
}

TEST(Planner, OffsetAndAtBecomeAShift) {
  auto shift = [](std::string_view query) {
    auto plan = Make(query, 100'000);
    return static_cast<const VectorSelectNode&>(*plan->root).shift_ms;
  };
  EXPECT_EQ(shift("foo"), 0);
  EXPECT_EQ(shift("foo offset 3s"), 3000);
  EXPECT_EQ(shift("foo offset -3s"), -3000);
  EXPECT_EQ(shift("foo @ 40"), 60'000);
  EXPECT_EQ(shift("foo @ 40 offset 3s"), 63'000);
}

TEST(Planner, DurationExpressionsAreResolved) {
  EXPECT_EQ(Hints("rate(foo[step() * 3])", 10'000, 20'000), "7001..20000 step 1000 range 3000 rate");
  EXPECT_EQ(Hints("rate(foo[range()])", 10'000, 20'000), "1..20000 step 1000 range 10000 rate");
  EXPECT_EQ(Hints("rate(foo[min_of(5s, 1m - 50s)])", 10'000), "5001..10000 range 5000 rate");
  EXPECT_EQ(Hints("rate(foo[5m * 0])", 10'000), "9:15: duration must be greater than 0");
  EXPECT_EQ(Hints("foo offset (1h / (step() - 1s))", 10'000, 20'000), "12:29: division by zero");
}

TEST(Planner, ContextFunctionsAreNumbers) {
  auto plan = Make("end() - start() + range() + step()", 100'000, 160'000);
  ASSERT_EQ(plan->root->kind, PlanKind::kNumber);
  EXPECT_EQ(static_cast<const NumberNode&>(*plan->root).value, 121);
}

TEST(Planner, ArithmeticOfNumbersIsDoneOnce) {
  EXPECT_EQ(Shape("foo * (1 + 2 * 3)"), "*(select, number)");
  EXPECT_EQ(Shape("1 + 2"), "number");
  EXPECT_EQ(Shape("1 > bool 2"), "number");
  EXPECT_EQ(Shape("clamp(foo, 1 - 2, 3)"), "clamp(select, number, number)");
}

TEST(Planner, TitlesNameTheOperatorAndItsFirstSelector) {
  auto plan = Make("sum(rate(up{job=\"a\"}[5m])) / count(down)", 0);
  EXPECT_EQ(plan->root->title, "/ for up{job=\"a\"}");
  EXPECT_EQ(PlanChildren(*plan->root)[0]->title, "sum for up{job=\"a\"}");
  EXPECT_EQ(PlanChildren(*plan->root)[1]->title, "count for down");
  EXPECT_EQ(Make("{__name__=~\"a|b\"}", 0)->root->title, "select for {__name__=~\"a|b\"}");
}

TEST(Planner, TooManyStepsAreRefused) {
  auto plan = Make("max_over_time(foo[1s:1ms])", 0, int64_t{1} << 45);
  EXPECT_FALSE(plan.ok());
}

TEST(Planner, OverWindowsCountsAreAddedUpAndAveragesAreSumsByCounts) {
  PlanOptions options;
  options.start_ms = options.end_ms = 10'000;
  options.windows = true;
  auto plan_of = [&](std::string_view query) {
    auto expr = ParseExpr(query, {});
    auto plan = MakePlan(**expr, options);
    EXPECT_TRUE(plan.ok());
    return plan->root;
  };
  auto expect_count = [](const PlanNode& node) {
    ASSERT_EQ(node.kind, PlanKind::kRangeFunction);
    const auto& function = static_cast<const RangeFunctionNode&>(node);
    EXPECT_STREQ(std::string(function.function->name).c_str(), "sum_over_time");
    const SelectSpec& select = static_cast<const MatrixSelectNode&>(*function.range).select;
    EXPECT_EQ(select.func, kSampleCounts);
  };
  expect_count(*plan_of("count_over_time(x[5m])"));
  PlanPtr average = plan_of("avg_over_time(x[5m])");
  ASSERT_EQ(average->kind, PlanKind::kBinary);
  const auto& quotient = static_cast<const BinaryNode&>(*average);
  EXPECT_EQ(quotient.op, BinaryOp::kDiv);
  const auto& sum = static_cast<const RangeFunctionNode&>(*quotient.lhs);
  EXPECT_EQ(static_cast<const MatrixSelectNode&>(*sum.range).select.func, "sum_over_time");
  expect_count(*quotient.rhs);
  // A subquery's steps are what they are.
  EXPECT_EQ(plan_of("avg_over_time(x[5m:1m])")->kind, PlanKind::kRangeFunction);
  options.windows = false;
  EXPECT_EQ(plan_of("avg_over_time(x[5m])")->kind, PlanKind::kRangeFunction);
}

}  // namespace
}  // namespace gauntlet::promql
