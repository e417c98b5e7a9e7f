#include "promql/syntax/walk.h"

#include <gtest/gtest.h>

#include "promql/syntax/parser.h"
#include "promql/syntax/printer.h"
#include "promql/syntax/testing/parse.h"
#include "promql/syntax/testing/table.h"

namespace gauntlet::promql {
namespace {

TEST(Walk, InspectGivesThePathAndSkipsWhatIsDeclined) {
  ExprPtr e = Parse("sum(rate(a[5m])) + topk(1, (b))");
  std::vector<std::string> seen;
  Inspect(*e, [&](const Expr& node, std::span<const Expr* const> path) {
    seen.push_back(std::string(path.size(), '.') + ToString(node));
    return node.kind != NodeKind::kParen;
  });
  EXPECT_EQ(seen, (std::vector<std::string>{"sum(rate(a[5m])) + topk(1, (b))", ".sum(rate(a[5m]))", "..rate(a[5m])",
                                            "...a[5m]", "....a", ".topk(1, (b))", "..(b)", "..1"}));
}

TEST(Walk, ExtractSelectorsFindsThoseInRangesAndSubqueries) {
  ExprPtr e = Parse("a + rate(b{c='d'}[5m]) / max_over_time(e[1h:]) - 1");
  std::vector<std::string> names;
  for (const VectorSelector* selector : ExtractSelectors(*e)) names.push_back(selector->name);
  EXPECT_EQ(names, (std::vector<std::string>{"a", "b", "e"}));
}

TEST(Walk, CloneIsEqualAndIndependent) {
  for (const TestBlock& block : ReadTestTable("testdata/parse.txt")) {
    if (!block.contains('=')) continue;
    ExprPtr e = Parse(block.at('?'));
    const int height = e->height;
    ExprPtr copy = Clone(*e);
    e.reset();
    EXPECT_EQ(ToString(*copy), block.at('='));
    EXPECT_EQ(DumpTree(*copy), block.at('@'));
    EXPECT_EQ(copy->height, height);
  }
}

TEST(Walk, HeightCountsTheLongestWay) {
  EXPECT_EQ(Parse("a")->height, 1);
  EXPECT_EQ(Parse("a[5m]")->height, 2);
  EXPECT_EQ(Parse("((a)) + 1")->height, 4);
  EXPECT_EQ(Parse("- - - a")->height, 4);
  EXPECT_EQ(Parse("a offset ((1m + 2m) * 3)")->height, 4);
}

}  // namespace
}  // namespace gauntlet::promql
