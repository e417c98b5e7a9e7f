#include "promql/syntax/function_table.h"

#include <gtest/gtest.h>

namespace gauntlet::promql {
namespace {

TEST(FunctionTable, HoldsNinetyFunctionsAndThreeOfThanos) {
  size_t upstream = 0, x = 0;
  for (const Function& f : AllFunctions()) (f.x_function ? x : upstream)++;
  EXPECT_EQ(upstream, 90u);
  EXPECT_EQ(x, 3u);
}

TEST(FunctionTable, FindsEachByItsNameOnly) {
  for (const Function& f : AllFunctions()) EXPECT_EQ(FindFunction(f.name), &f) << f.name;
  EXPECT_EQ(FindFunction(""), nullptr);
  EXPECT_EQ(FindFunction("Rate"), nullptr);
  EXPECT_EQ(FindFunction("holt_winters"), nullptr);
  EXPECT_EQ(FindFunction("zzz"), nullptr);
}

TEST(FunctionTable, KeepsSignatures) {
  const Function* f = FindFunction("histogram_quantiles");
  ASSERT_NE(f, nullptr);
  EXPECT_EQ(f->arg_types.size(), 4u);
  EXPECT_EQ(f->arg_types[1], ValueType::kString);
  EXPECT_EQ(f->variadic, 9);
  EXPECT_TRUE(f->experimental);
  EXPECT_EQ(FindFunction("label_join")->variadic, -1);
  EXPECT_EQ(FindFunction("scalar")->return_type, ValueType::kScalar);
  EXPECT_EQ(FindFunction("time")->arg_types.size(), 0u);
  EXPECT_FALSE(FindFunction("first_over_time")->experimental);
  EXPECT_TRUE(FindFunction("xrate")->x_function);
}

TEST(Ast, OperatorTextsAndClasses) {
  EXPECT_STREQ(BinaryOpText(BinaryOp::kTrimLower), ">/");
  EXPECT_STREQ(BinaryOpText(BinaryOp::kUnless), "unless");
  EXPECT_TRUE(IsComparison(BinaryOp::kGreaterEqual));
  EXPECT_FALSE(IsComparison(BinaryOp::kTrimUpper));
  EXPECT_FALSE(IsComparison(BinaryOp::kAtan2));
  EXPECT_TRUE(IsSetOperator(BinaryOp::kOr));
  EXPECT_FALSE(IsSetOperator(BinaryOp::kTrimUpper));
  EXPECT_STREQ(AggregateOpText(AggregateOp::kLimitRatio), "limit_ratio");
  EXPECT_FALSE(AggregateTakesParameter(AggregateOp::kStdvar));
  EXPECT_TRUE(AggregateTakesParameter(AggregateOp::kCountValues));
  EXPECT_STREQ(DocumentedType(ValueType::kMatrix), "range vector");
  EXPECT_STREQ(DocumentedType(ValueType::kString), "string");
}

}  // namespace
}  // namespace gauntlet::promql
