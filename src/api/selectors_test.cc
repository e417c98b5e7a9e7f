#include "api/selectors.h"

#include <gtest/gtest.h>

#include <set>

#include "promql/syntax/parser.h"

namespace gauntlet::api {
namespace {

std::vector<Matchers> Parse(const std::vector<std::string>& texts) {
  std::vector<Matchers> selectors;
  for (const std::string& text : texts) selectors.push_back(*promql::ParseMetricSelector(text));
  return selectors;
}

std::set<std::string> Join(const std::vector<std::string>& texts) {
  auto joined = JoinSelectors(Parse(texts));
  if (!joined.ok()) return {"error: " + std::string(joined.status().message())};
  std::set<std::string> out;
  for (const Matchers& matchers : *joined) {
    std::set<std::string> parts;
    for (const Matcher& matcher : matchers) parts.insert(matcher.ToString());
    std::string text;
    for (const std::string& part : parts) text += (text.empty() ? "" : ",") + part;
    out.insert(text);
  }
  EXPECT_EQ(out.size(), joined->size());
  return out;
}

using Texts = std::set<std::string>;

TEST(JoinSelectors, EqualOnesCountOnce) {
  EXPECT_EQ(Join({"up", "up", R"({__name__="up"})"}), Texts{R"(__name__="up")"});
  EXPECT_EQ(Join({R"(up{a="1",b="2"})", R"(up{b="2",a="1"})"}), Texts{R"(__name__="up",a="1",b="2")"});
}

TEST(JoinSelectors, ThoseThatDifferInOneValueBecomeOne) {
  EXPECT_EQ(Join({"a", "b", R"({"c.d"})"}), Texts{R"(__name__=~"a|b|c\\.d")"});
  EXPECT_EQ(Join({R"(up{i="1"})", R"(up{i="2"})"}), Texts{R"(__name__="up",i=~"1|2")"});
  EXPECT_EQ(Join({R"(a{i="1",j="x"})", R"(b{i="1",j="x"})", R"(a{i="1",j="y"})"}),
            (Texts{R"(__name__="a",i="1",j="y")", R"(__name__=~"a|b",i="1",j="x")"}));
}

TEST(JoinSelectors, OthersStayApart) {
  EXPECT_EQ(Join({R"(up{i="1"})", R"(up{j="2"})", R"({k=~"a.+"})", R"(up{i=""})"}).size(), 4u);
  EXPECT_EQ(Join({R"(up{i!="1"})", R"(up{i!="2"})"}).size(), 2u);
  EXPECT_EQ(Join({"up"}), Texts{R"(__name__="up")"});
  EXPECT_TRUE(Join({}).empty());
}

TEST(JoinSelectors, ManyValuesAreCutIntoAlternationsThatPrometheusLooksUp) {
  std::vector<std::string> texts;
  for (int i = 0; i < 50'001; ++i) texts.push_back("up{i=\"" + std::to_string(i) + "\"}");
  auto joined = JoinSelectors(Parse(texts));
  ASSERT_TRUE(joined.ok());
  EXPECT_EQ(joined->size(), 201u);
  size_t values = 0;
  for (const Matchers& matchers : *joined) {
    for (const Matcher& matcher : matchers) {
      if (matcher.name() == "i") values += std::max<size_t>(matcher.set_matches().size(), 1);
    }
  }
  EXPECT_EQ(values, 50'001u);
}

TEST(JoinSelectors, TooManyOfNothingInCommonAreRefused) {
  std::vector<std::string> texts;
  for (size_t i = 0; i <= kSelectsMax; ++i) texts.push_back("{i" + std::to_string(i) + "!=\"\"}");
  EXPECT_EQ(Join(texts), Texts{"error: too many match[] in one request: 10001, of which 10001 have nothing in common; "
                               "at most 10000 are allowed"});
  texts.pop_back();
  EXPECT_EQ(Join(texts).size(), kSelectsMax);
}

}  // namespace
}  // namespace gauntlet::api
