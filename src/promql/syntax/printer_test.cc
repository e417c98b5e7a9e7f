#include "promql/syntax/printer.h"

#include <gtest/gtest.h>

#include "promql/syntax/ast_json.h"
#include "promql/syntax/parser.h"
#include "promql/syntax/prettier.h"
#include "promql/syntax/testing/parse.h"
#include "promql/syntax/testing/table.h"

namespace gauntlet::promql {
namespace {

TEST(Printer, StopsSoonAfterItsLimit) {
  ExprPtr e = Parse("sum(rate(a[5m])) + sum(rate(b[5m])) + sum(rate(c[5m]))");
  std::string out;
  AppendTo(out, *e, 10);
  EXPECT_GT(out.size(), 10u);
  EXPECT_LT(out.size(), 40u);
}

TEST(Prettier, AgreesWithTheTable) {
  for (const TestBlock& block : ReadTestTable("testdata/prettify.txt")) {
    ExprPtr e = Parse(block.at('?'));
    ASSERT_TRUE(e);
    EXPECT_EQ(Prettify(*e), block.at('|')) << block.at('?');
    ExprPtr again = Parse(Prettify(*e));
    ASSERT_TRUE(again);
    EXPECT_EQ(ToString(*again), ToString(*e)) << block.at('?');
  }
}

TEST(AstJson, AgreesWithTheTable) {
  for (const TestBlock& block : ReadTestTable("testdata/json.txt")) {
    ExprPtr e = Parse(block.at('?'));
    ASSERT_TRUE(e);
    std::string out;
    json::Writer writer(&out);
    WriteJson(writer, *e);
    EXPECT_EQ(out, block.at('j')) << block.at('?');
  }
}

}  // namespace
}  // namespace gauntlet::promql
