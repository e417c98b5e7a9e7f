#include "store/lazy_postings.h"

#include <gtest/gtest.h>

namespace gauntlet::store {
namespace {

using Union = tsdb::PostingsPlan::Union;

// `lists` lists of `ids` ids in all.
Union Lists(std::string_view name, size_t lists, uint64_t ids) {
  Union keys;
  for (size_t i = 0; i < lists; ++i) keys.push_back({name, "v", {0, 4 + ids / lists * 4}});
  return keys;
}

class LazyPostings : public ::testing::Test {
 protected:
  LazyPostings() {
    options_.enabled = true;
    options_.series_bytes = 100;
    matchers_ = {Matcher::Equal("small", "1"), *Matcher::Make(MatchType::kRegexp, "large", ".+x"),
                 *Matcher::Make(MatchType::kNotEqual, "minus", "y"), Matcher::Equal("small", "2")};
  }
  LazyPostingsOptions options_;
  Matchers matchers_;
  tsdb::PostingsPlan plan_;
};

TEST_F(LazyPostings, AListLongerThanTheEntriesThatItSparesWaits) {
  plan_.intersect = {Lists("large", 10, 1'000'000), Lists("small", 1, 100)};
  auto postponed = PostponeCostly(options_, matchers_, &plan_);
  ASSERT_EQ(plan_.intersect.size(), 1u);
  EXPECT_EQ(plan_.intersect[0][0].name, "small");
  EXPECT_EQ(postponed.matchers, Matchers{matchers_[1]});
  EXPECT_EQ(postponed.list_bytes, 4'000'000u);
  EXPECT_EQ(postponed.by_size, 1);
}

TEST_F(LazyPostings, AListShorterThanTheEntriesThatItSparesIsRead) {
  plan_.intersect = {Lists("large", 10, 1000), Lists("small", 1, 100)};
  auto postponed = PostponeCostly(options_, matchers_, &plan_);
  EXPECT_EQ(plan_.intersect.size(), 2u);
  EXPECT_TRUE(postponed.matchers.empty());
}

TEST_F(LazyPostings, WhatIsSubtractedWaitsToo) {
  plan_.intersect = {Lists("small", 1, 10)};
  plan_.subtract = Lists("minus", 1, 100'000);
  auto postponed = PostponeCostly(options_, matchers_, &plan_);
  EXPECT_TRUE(plan_.subtract.empty());
  EXPECT_EQ(postponed.matchers, Matchers{matchers_[2]});
}

TEST_F(LazyPostings, VeryManyListsForFewSeriesWait) {
  options_.keys_per_series_max = 2;
  options_.series_bytes = 1 << 20;
  plan_.intersect = {Lists("small", 1, 4), Lists("large", 9, 900)};
  auto postponed = PostponeCostly(options_, matchers_, &plan_);
  EXPECT_EQ(postponed.by_keys, 1);
  EXPECT_EQ(plan_.intersect.size(), 1u);
  options_.keys_per_series_max = 0;
  plan_.intersect = {Lists("small", 1, 4), Lists("large", 9, 900)};
  EXPECT_EQ(PostponeCostly(options_, matchers_, &plan_).by_keys, 0);
}

TEST_F(LazyPostings, SomethingToBeginWithStays) {
  plan_.intersect = {{{"", "", {0, 4'000'004}}}};  // all series
  plan_.subtract = Lists("minus", 1, 100'000);
  EXPECT_TRUE(PostponeCostly(options_, matchers_, &plan_).matchers.empty());
  EXPECT_EQ(plan_.subtract.size(), 1u);
  plan_.intersect = {Lists("large", 1, 1'000'000)};
  plan_.subtract = Lists("minus", 1, 10);  // shorter than the only one to intersect
  EXPECT_TRUE(PostponeCostly(options_, matchers_, &plan_).matchers.empty());
  plan_.nothing = true;
  EXPECT_TRUE(PostponeCostly(options_, matchers_, &plan_).matchers.empty());
}

TEST_F(LazyPostings, OffByDefault) {
  plan_.intersect = {Lists("large", 10, 1'000'000), Lists("small", 1, 100)};
  EXPECT_TRUE(PostponeCostly({}, matchers_, &plan_).matchers.empty());
  EXPECT_EQ(plan_.intersect.size(), 2u);
}

}  // namespace
}  // namespace gauntlet::store
