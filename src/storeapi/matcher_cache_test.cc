#include "storeapi/matcher_cache.h"

#include <gtest/gtest.h>

namespace gauntlet::storeapi {
namespace {

class MatcherCacheTest : public testing::Test {
 protected:
  bool Has(const std::string& line) {
    return registry_.Expose(false).find("\nthanos_matchers_cache_" + line + "\n") != std::string::npos;
  }
  telemetry::Registry registry_;
  MatcherCache cache_{2, registry_};
};

TEST_F(MatcherCacheTest, GivesWhatMatcherMakeGives) {
  for (MatchType type : {MatchType::kEqual, MatchType::kNotEqual, MatchType::kRegexp, MatchType::kNotRegexp}) {
    for (int i = 0; i < 2; ++i) {
      auto made = cache_.Make(type, "job", "a.*c");
      ASSERT_TRUE(made.ok());
      EXPECT_EQ(*made, *Matcher::Make(type, "job", "a.*c"));
      EXPECT_EQ(made->Matches("abc"), type == MatchType::kRegexp || type == MatchType::kNotEqual);
    }
  }
  EXPECT_EQ(cache_.Make(MatchType::kRegexp, "job", "(").status().code(), Code::kInvalid);
  EXPECT_EQ(cache_.Make(MatchType::kRegexp, "job", "(").status().code(), Code::kInvalid);
}

TEST_F(MatcherCacheTest, KeepsExpressionsThatWereAskedForLast) {
  for (const char* value : {"a.+", "b.+", "a.+", "c.+", "a.+", "b.+"})
    ASSERT_TRUE(cache_.Make(MatchType::kRegexp, "job", value).ok());
  ASSERT_TRUE(cache_.Make(MatchType::kEqual, "job", "x").ok());  // nothing to compile
  EXPECT_TRUE(Has("requests_total 6"));
  EXPECT_TRUE(Has("hits_total 2"));
  EXPECT_TRUE(Has("evicted_total 2"));
  EXPECT_TRUE(Has("items 2"));
  EXPECT_TRUE(Has("max_items 2"));
}

TEST_F(MatcherCacheTest, NamesAndTypesAreToldApart) {
  ASSERT_TRUE(cache_.Make(MatchType::kRegexp, "job", "a.+").ok());
  EXPECT_EQ(cache_.Make(MatchType::kNotRegexp, "job", "a.+")->type(), MatchType::kNotRegexp);
  EXPECT_EQ(cache_.Make(MatchType::kRegexp, "pod", "a.+")->name(), "pod");
  EXPECT_TRUE(Has("hits_total 0"));
}

}  // namespace
}  // namespace gauntlet::storeapi
