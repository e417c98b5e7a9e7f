#include "model/matcher.h"

#include <gtest/gtest.h>

namespace gauntlet {
namespace {

Matcher Make(MatchType type, std::string value) { return *Matcher::Make(type, "job", std::move(value)); }

TEST(Matcher, EachTypeMatches) {
  EXPECT_TRUE(Make(MatchType::kEqual, "a").Matches("a"));
  EXPECT_FALSE(Make(MatchType::kEqual, "a").Matches("ab"));
  EXPECT_TRUE(Make(MatchType::kNotEqual, "a").Matches(""));
  EXPECT_TRUE(Make(MatchType::kRegexp, "a|b.*").Matches("bcd"));
  EXPECT_FALSE(Make(MatchType::kRegexp, "a|b.*").Matches("ab"));
  EXPECT_TRUE(Make(MatchType::kNotRegexp, "a|b.*").Matches("ab"));
  EXPECT_TRUE(Make(MatchType::kRegexp, ".*").MatchesEmpty());
  EXPECT_FALSE(Make(MatchType::kRegexp, ".+").MatchesEmpty());
  EXPECT_TRUE(Make(MatchType::kEqual, "").MatchesEmpty());
}

TEST(Matcher, TextIsPromQls) {
  EXPECT_EQ(Make(MatchType::kNotRegexp, "a\"b").ToString(), R"(job!~"a\"b")");
  EXPECT_EQ(Matcher::Equal("my.name", "x").ToString(), R"("my.name"="x")");
  Matchers matchers{Matcher::Equal("__name__", "up"), Make(MatchType::kRegexp, "a|b")};
  EXPECT_EQ(MatchersToString(matchers), R"({__name__="up", job=~"a|b"})");
  EXPECT_EQ(MatchersToString({}), "{}");
}

TEST(Matcher, AllMustMatchAndAnAbsentLabelIsEmpty) {
  Labels labels = Labels::From({{"__name__", "up"}, {"job", "a"}});
  Matchers matchers{Matcher::Equal("__name__", "up"), Make(MatchType::kRegexp, "a|b")};
  EXPECT_TRUE(MatchesAll(matchers, labels));
  matchers.push_back(Matcher::Equal("instance", ""));
  EXPECT_TRUE(MatchesAll(matchers, labels));
  matchers.push_back(*Matcher::Make(MatchType::kRegexp, "instance", ".+"));
  EXPECT_FALSE(MatchesAll(matchers, labels));
}

TEST(Matcher, BadExpressionIsInvalid) {
  auto bad = Matcher::Make(MatchType::kRegexp, "job", "a(");
  ASSERT_FALSE(bad.ok());
  EXPECT_EQ(bad.status().code(), Code::kInvalid);
  EXPECT_EQ(bad.status().message(), "error parsing regexp: missing closing ): `a(`");
}

TEST(Matcher, SetAndPrefixHelpAnIndex) {
  EXPECT_EQ(Make(MatchType::kRegexp, "b|a|b").set_matches(), (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(Make(MatchType::kRegexp, "a|b.*").set_matches().empty());
  EXPECT_TRUE(Make(MatchType::kEqual, "a").set_matches().empty());
  EXPECT_EQ(Make(MatchType::kRegexp, "foo-(a|b).+").prefix(), "foo-");
}

}  // namespace
}  // namespace gauntlet
