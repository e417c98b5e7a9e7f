#include "promql/exec/histograms/classic_histogram.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace gauntlet::promql {
namespace {

constexpr double kInfinite = std::numeric_limits<double>::infinity();

TEST(BucketQuantile, InterpolatesAndFixes) {
  ForcedMonotonicity forced;
  forced.count = 0;
  auto quantile = [&](double q, std::vector<Bucket> buckets) { return BucketQuantile(q, &buckets, 1000, &forced); };
  EXPECT_EQ(quantile(0.5, {{1, 10}, {2, 20}, {kInfinite, 20}}), 1);
  EXPECT_EQ(quantile(0.75, {{1, 10}, {2, 20}, {kInfinite, 20}}), 1.5);
  EXPECT_EQ(quantile(0.99, {{1, 10}, {kInfinite, 20}}), 1);
  EXPECT_EQ(quantile(0.5, {{-1, 10}, {kInfinite, 10}}), -1);
  EXPECT_TRUE(std::isnan(quantile(0.5, {{1, 10}, {2, 20}})));
  EXPECT_TRUE(std::isnan(quantile(0.5, {{kInfinite, 20}})));
  EXPECT_EQ(quantile(0.5, {{1, 5}, {1, 5}, {2, 20}, {kInfinite, 20}}), 1);
  EXPECT_EQ(forced.count, 0);
  EXPECT_EQ(quantile(0.5, {{1, 10}, {2, 8}, {3, 20}, {kInfinite, 20}}), 1);
  EXPECT_EQ(forced.count, 1);
  EXPECT_EQ(forced.min_bucket, 2);
  EXPECT_EQ(forced.max_diff, 2);
  EXPECT_EQ(quantile(0.5, {{1, 10}, {2, 10 - 1e-13}, {kInfinite, 20}}), 1);
  EXPECT_EQ(forced.count, 1);  // rounding is not worth a word
}

TEST(BucketFraction, BetweenBounds) {
  auto fraction = [](double lower, double upper, std::vector<Bucket> buckets) {
    return BucketFraction(lower, upper, &buckets);
  };
  std::vector<Bucket> buckets = {{1, 10}, {2, 20}, {kInfinite, 40}};
  EXPECT_EQ(fraction(0, 1, buckets), 0.25);
  EXPECT_EQ(fraction(-kInfinite, 1.5, buckets), 0.375);
  EXPECT_EQ(fraction(2, kInfinite, buckets), 0.5);
  EXPECT_EQ(fraction(3, 1, buckets), 0);
  EXPECT_TRUE(std::isnan(fraction(0, 1, {{1, 0}, {kInfinite, 0}})));
}

}  // namespace
}  // namespace gauntlet::promql
