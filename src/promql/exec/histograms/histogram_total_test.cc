#include "promql/exec/histograms/histogram_total.h"

#include <gtest/gtest.h>

#include <limits>
#include <utility>
#include <vector>

#include "promql/exec/histograms/testing/histograms.h"

namespace gauntlet::promql {
namespace {

constexpr double kInfinite = std::numeric_limits<double>::infinity();

TEST(HistogramTotal, MeanGoesOnWhereTheSumWouldOverflow) {
  HistogramTotal mean(Simple(1.5e308), true);
  EXPECT_TRUE(mean.Add(Simple(1.5e308)));
  EXPECT_TRUE(mean.Add(Simple(1.2e308)));
  Histogram h = std::move(mean).Finish();
  EXPECT_DOUBLE_EQ(h.count, 1.4e308);
  EXPECT_DOUBLE_EQ(h.positive_buckets[0], 1.4e308);
  HistogramTotal sum(Simple(1.5e308), false);
  EXPECT_TRUE(sum.Add(Simple(1.5e308)));
  EXPECT_EQ(std::move(sum).Finish().count, kInfinite);
}

TEST(HistogramTotal, TellsOfHintsAndBounds) {
  HistogramTotal total(Simple(1, ResetHint::kReset), false);
  EXPECT_TRUE(total.Add(Simple(1, ResetHint::kGauge)));
  EXPECT_FALSE(total.reset_collision());
  EXPECT_TRUE(total.Add(Simple(1, ResetHint::kNotReset)));
  EXPECT_TRUE(total.reset_collision());  // though the sum is a gauge by now
  EXPECT_FALSE(total.Add(Custom({1}, {1, 1}, 2)));
  HistogramTotal custom(Custom({1, 2}, {1, 1, 1}, 2), false);
  EXPECT_TRUE(custom.Add(Custom({2, 3}, {1, 1, 1}, 2)));
  EXPECT_TRUE(custom.bounds_reconciled());
  EXPECT_EQ(std::move(custom).Finish().custom_values, (std::vector<double>{2}));
}

}  // namespace
}  // namespace gauntlet::promql
