#include "promql/syntax/parser.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/testing/small_stack.h"
#include "json/writer.h"
#include "promql/syntax/ast_json.h"
#include "promql/syntax/prettier.h"
#include "promql/syntax/printer.h"
#include "promql/syntax/testing/parse.h"
#include "promql/syntax/testing/table.h"
#include "promql/syntax/walk.h"

namespace gauntlet::promql {
namespace {

// The printed tree, or the error.
std::string Parsed(std::string_view query, const ParserOptions& options = AllOn()) {
  Result<ExprPtr> e = ParseExpr(query, options);
  return e.ok() ? ToString(**e) : std::string(e.status().message());
}

TEST(Parser, AgreesWithTheTable) {
  size_t good = 0, bad = 0;
  for (const TestBlock& block : ReadTestTable("testdata/parse.txt")) {
    const std::string& query = block.at('?');
    Result<ExprPtr> e = ParseExpr(query, AllOn());
    if (block.contains('!')) {
      bad++;
      EXPECT_EQ(e.status().message(), block.at('!')) << query;
      EXPECT_EQ(e.status().code(), Code::kInvalid) << query;
      continue;
    }
    good++;
    ASSERT_TRUE(e.ok()) << query << "\n" << e.status().message();
    EXPECT_EQ(ToString(**e), block.at('=')) << query;
    EXPECT_EQ(DumpTree(**e), block.at('@')) << query;
    EXPECT_EQ(Parsed(ToString(**e)), block.at('=')) << query;
  }
  EXPECT_GT(good, 300u);
  EXPECT_GT(bad, 200u);
}

// Where upstream's text would mean another thing.
TEST(Parser, OffsetsPrintToWhatTheyMean) {
  EXPECT_EQ(Parsed("a offset +-5m * 2"), "a offset (-5m * 2)");
  EXPECT_EQ(Parsed("a offset +-step() ^ 2 + 1"), "a offset (-step() ^ 2 + 1)");
  EXPECT_EQ(Parsed("a offset --5m / 2"), "a offset (5m / 2)");
  EXPECT_EQ(Parsed("a offset -(-1^2)"), "a offset -(-1 ^ 2)");
  EXPECT_EQ(Parsed("a offset - -(5m) * 2"), "a offset --(5m) * 2");
  EXPECT_EQ(Parsed("a offset +(5)"), "a offset (5)");
  EXPECT_EQ(Parsed("-a offset +(5) > b"), "-a offset (5) > b");
  EXPECT_EQ(Parsed("a + b offset +(5) - c"), "a + b offset +(5) - c");
  EXPECT_EQ(Parsed("a + b offset +(5) - c * -(3)"), Parsed(Parsed("a + b offset +(5) - c * -(3)")));
  EXPECT_EQ(Parsed("info(a, {})"), "info(a, {})");
  EXPECT_EQ(Parsed("a offset NaN"), "a offset -106751d23h47m16s854ms");
  EXPECT_EQ(Parsed("a[5m:] offset (NaN)"), "a[5m:] offset (NaN)");  // an error when it is resolved
}

TEST(Parser, FeaturesAreOffByDefault) {
  auto off = [](std::string_view query) { return Parsed(query, {}); };
  EXPECT_EQ(off("mad_over_time(a[1m])"), "1:1: parse error: function \"mad_over_time\" is not enabled");
  EXPECT_EQ(off("1 + step()"), "1:5: parse error: function \"step\" is not enabled");
  EXPECT_EQ(off("limitk(1, a)"),
            "1:1: parse error: limitk() is experimental and must be enabled with "
            "--enable-feature=promql-experimental-functions");
  EXPECT_EQ(off("a anchored"), "1:1: parse error: anchored modifier is experimental and not enabled");
  EXPECT_EQ(off("rate(a[1m] smoothed)"), "1:6: parse error: smoothed modifier is experimental and not enabled");
  EXPECT_EQ(off("x and (a + fill(1) b)"), "1:8: parse error: binop fill modifiers are experimental and not enabled");
  EXPECT_EQ(off("xrate(a[1m])"), "1:1: parse error: unknown function with name \"xrate\"");
  EXPECT_EQ(off("a[step() + 1m] offset -range()"), "a[step() + 1m] offset -range()");
}

TEST(Parser, XFunctionsNeedTheirOptionAlone) {
  ParserOptions options;
  options.x_functions = true;
  EXPECT_EQ(Parsed("xrate(a[1m]) + xincrease(a[1m]) + xdelta(a[1m])", options),
            "xrate(a[1m]) + xincrease(a[1m]) + xdelta(a[1m])");
  EXPECT_EQ(Parsed("xrate(a)", options),
            "1:7: parse error: expected type range vector in call to function \"xrate\", got instant vector");
}

TEST(Parser, KeepsMatchersInWrittenOrderAndTheNameLast) {
  Result<ExprPtr> e = ParseExpr("up{z='1', a!~\"b|c\"}");
  ASSERT_TRUE(e.ok());
  const auto& selector = static_cast<const VectorSelector&>(**e);
  ASSERT_EQ(selector.matchers.size(), 3u);
  EXPECT_EQ(selector.name, "up");
  EXPECT_EQ(selector.matchers[0].ToString(), "z=\"1\"");
  EXPECT_EQ(selector.matchers[1].ToString(), "a!~\"b|c\"");
  EXPECT_EQ(selector.matchers[2].ToString(), "__name__=\"up\"");
}

TEST(Parser, KeepsTimes) {
  Result<ExprPtr> e = ParseExpr("up[90s] @ 1.5 offset -1m30s500ms");
  ASSERT_TRUE(e.ok());
  const auto& range = static_cast<const MatrixSelector&>(**e);
  EXPECT_EQ(range.range_ms, 90'000);
  EXPECT_EQ(range.selector->time.at, AtModifier::kTimestamp);
  EXPECT_EQ(range.selector->time.at_ms, 1500);
  EXPECT_EQ(range.selector->time.offset_ms, -90'500);

  e = ParseExpr("up[1h:0.25] @ end()");
  ASSERT_TRUE(e.ok());
  const auto& subquery = static_cast<const SubqueryExpr&>(**e);
  EXPECT_EQ(subquery.range_ms, 3'600'000);
  EXPECT_EQ(subquery.step_ms, 250);
  EXPECT_EQ(subquery.time.at, AtModifier::kEnd);
}

TEST(Parser, SettlesWhatDependsOnTypes) {
  auto binary = [](std::string_view query) {
    Result<ExprPtr> e = ParseExpr(query, AllOn());
    EXPECT_TRUE(e.ok()) << query;
    return std::unique_ptr<BinaryExpr>(static_cast<BinaryExpr*>((*std::move(e)).release()));
  };
  EXPECT_FALSE(binary("a + 1")->matching);
  EXPECT_EQ(binary("a + b")->matching->card, MatchCardinality::kOneToOne);
  EXPECT_EQ(binary("a unless b")->matching->card, MatchCardinality::kManyToMany);
  EXPECT_EQ(binary("a / on(x) group_right(y) b")->matching->card, MatchCardinality::kOneToMany);
  auto filled = binary("a - fill_left(-2) b");
  EXPECT_EQ(filled->matching->fill_left, -2.0);
  EXPECT_FALSE(filled->matching->fill_right);
}

// Runs on a thread with the usual 8 MiB of stack.
TEST(Parser, DeepNestingIsAnErrorOrFine) {
  auto repeat = [](std::string_view s, size_t n) {
    std::string out;
    while (n-- > 0) out += s;
    return out;
  };
  const int n = 10'000;
  std::thread([&] {
    const std::string too_deep = "expression is nested more than 2500 levels deep";
    for (const std::string& query : {
             repeat("(", n) + "a" + repeat(")", n),
             repeat("-", n) + "a",
             repeat("- (", n) + "a" + repeat(")", n),
             repeat("abs(", n) + "a" + repeat(")", n),
             repeat("sum(", n) + "a" + repeat(")", n),
             repeat("a ^ ", n) + "a",
             repeat("a or b and c + d * e ^ (", n) + "a" + repeat(")", n),
             "a" + repeat("[5m:]", n),
             "a[" + repeat("(", n) + "5m" + repeat(")", n) + "]",
             "a[" + repeat("-", n) + "5m]",
             "a[" + repeat("step() + ", n) + "5m]",
             "a offset " + repeat("min_of(1,", n) + "5m" + repeat(")", n),
         }) {
      std::string got = Parsed(query);
      if (query.find("[(") == query.npos && query.find("[-") == query.npos) {
        EXPECT_NE(got.find(too_deep), got.npos) << query.substr(0, 20) << " " << got.substr(0, 200);
      }
    }
    // Numbers fold their signs, and parentheses around a duration leave one mark.
    EXPECT_EQ(Parsed(repeat("-", n) + "1"), "1");
    // As deep as allowed.
    std::string deepest = repeat("(", 2499) + "a" + repeat(")", 2499);
    EXPECT_EQ(Parsed(deepest), deepest);
    EXPECT_NE(Parsed("(" + deepest + ")").find(too_deep), std::string::npos);
  }).join();
}

// A chain of operators is as deep as it is long, but nobody walks it by recursion: also not on a small stack.
TEST(Parser, ChainsOfOperatorsMayBeLong) {
  std::string chain = "a";
  for (int i = 0; i < 20'000; ++i) chain += i % 3 == 0 ? " + b" : i % 3 == 1 ? " - c * d" : " or sum(e)";
  RunOnSmallStack([&] {
    auto expr = ParseExpr(chain);
    ASSERT_TRUE(expr.ok()) << expr.status().message();
    EXPECT_EQ((*expr)->type(), ValueType::kVector);
    EXPECT_EQ(ToString(*Clone(**expr)), chain);
    EXPECT_EQ(Prettify(**expr), chain);
    EXPECT_EQ(ExtractSelectors(**expr).size(), 26'668u);
    std::string json;
    json::Writer writer(&json);
    WriteJson(writer, **expr);
    EXPECT_TRUE(json.ends_with(R"("type":"binaryExpr"})"));
    EXPECT_FALSE(ParseExpr(chain + " + \"text\"").ok());
  });
}

TEST(Parser, LongQueriesParse) {
  std::string query = "sum(a{b=~\"x";
  for (int i = 0; i < 100'000; i++) query += "|value" + std::to_string(i);
  query += "\"})";
  ASSERT_GT(query.size(), 1'000'000u);
  EXPECT_EQ(Parsed(query), query);
  std::string args = "label_join(a, \"b\", \"c\"";
  for (int i = 0; i < 200'000; i++) args += ", \"d\"";
  EXPECT_EQ(Parsed(args + ")"), args + ")");
}

TEST(Parser, RefusesWhatIsLongerThanItsLimit) {
  std::string query(100 << 20, ' ');
  EXPECT_EQ(Parsed(query), "1:1: parse error: expression of 104857600 bytes is longer than 16777216");
  EXPECT_FALSE(ParseMetricSelector(query).ok());
  EXPECT_FALSE(ParseMetric(query).ok());
}

TEST(Parser, EveryCutOfAQueryIsAnswered) {
  const std::string query =
      "sum by (\"a b\", c) (rate(up{x=~\"a.*\",'y z'!='\\x41\\u00e9'}[5m:step() * 2] @ start() offset -(1h + 3))) "
      "> bool on (d) group_left () fill_left (-1) quantile(0.5, m:n{}) # end\n ^ 0x1F";
  ASSERT_TRUE(ParseExpr(query, AllOn()).ok()) << Parsed(query);
  for (size_t n = 0; n < query.size(); n++) {
    std::string got = Parsed(query.substr(0, n));
    EXPECT_FALSE(got.empty());
    ParseMetricSelector(query.substr(n)).ok();
    Parsed(query.substr(n));
  }
}

std::string Selected(std::string_view text) {
  Result<Matchers> matchers = ParseMetricSelector(text);
  return matchers.ok() ? MatchersToString(*matchers) : std::string(matchers.status().message());
}

TEST(ParseMetricSelector, TakesASelectorAndNothingElse) {
  EXPECT_EQ(Selected("up"), "{__name__=\"up\"}");
  EXPECT_EQ(Selected("up{a=\"b\",c!~'d'}"), "{a=\"b\", c!~\"d\", __name__=\"up\"}");
  EXPECT_EQ(Selected(" {\"m.n\"} # x"), "{__name__=\"m.n\"}");
  EXPECT_EQ(Selected("{}"), "{}");
  EXPECT_EQ(Selected("up[5m]"), "1:3: parse error: unexpected \"[\"");
  EXPECT_EQ(Selected("up + 1"), "1:4: parse error: unexpected <op:+>");
  EXPECT_EQ(Selected("sum(up)"), "1:4: parse error: unexpected \"(\"");
  EXPECT_EQ(Selected("5"), "1:1: parse error: unexpected number \"5\"");
  EXPECT_EQ(Selected(""), "unknown position: parse error: unexpected end of input");
  EXPECT_EQ(Selected("up{a=}"), "1:6: parse error: unexpected \"}\" in label matching, expected string");
  EXPECT_EQ(Selected("{a=~\"(\"}"), "1:2: parse error: error parsing regexp: missing closing ): `(`");
}

std::string Metric(std::string_view text) {
  Result<Labels> labels = ParseMetric(text);
  return labels.ok() ? labels->ToString() : std::string(labels.status().message());
}

TEST(ParseMetric, TakesANameAndLabels) {
  EXPECT_EQ(Metric("up"), "{__name__=\"up\"}");
  EXPECT_EQ(Metric("up{b='x', a=\"\\t\",}"), "{__name__=\"up\", a=\"\\t\", b=\"x\"}");
  EXPECT_EQ(Metric("{\"m.n\", \"a.b\"=\"c\"}"), "{__name__=\"m.n\", \"a.b\"=\"c\"}");
  EXPECT_EQ(Metric("{}"), "{}");
  EXPECT_EQ(Metric(""), "{}");
  EXPECT_EQ(Metric("up{a!=\"b\"}"), "1:5: parse error: unexpected <op:!=> in label set, expected \"=\"");
  EXPECT_EQ(Metric("up{a=b}"), "1:6: parse error: unexpected identifier \"b\" in label set, expected string");
  EXPECT_EQ(Metric("up{5}"), "1:4: parse error: unexpected character inside braces: '5'");
  EXPECT_EQ(Metric("up{a=\"b\" c=\"d\"}"),
            "1:10: parse error: unexpected identifier \"c\" in label set, expected \",\" or \"}\"");
  EXPECT_EQ(Metric("up 5"), "1:4: parse error: unexpected number \"5\"");
}

}  // namespace
}  // namespace gauntlet::promql
