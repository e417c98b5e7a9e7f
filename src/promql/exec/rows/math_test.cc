#include "promql/exec/rows/math.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace gauntlet::promql {
namespace {

constexpr double kInfinite = std::numeric_limits<double>::infinity();
constexpr double kNotANumber = std::numeric_limits<double>::quiet_NaN();

TEST(Quantile, InterpolatesBetweenNeighbours) {
  auto quantile = [](double q, std::vector<double> values) { return Quantile(q, values); };
  EXPECT_EQ(quantile(0.5, {3, 1, 2}), 2);
  EXPECT_EQ(quantile(0.25, {4, 1, 3, 2}), 1.75);
  EXPECT_EQ(quantile(0, {4, 1}), 1);
  EXPECT_EQ(quantile(1, {4, 1}), 4);
  EXPECT_EQ(quantile(-1, {4}), -kInfinite);
  EXPECT_EQ(quantile(2, {4}), kInfinite);
  EXPECT_TRUE(std::isnan(quantile(kNotANumber, {4})));
  EXPECT_TRUE(std::isnan(quantile(0.5, {})));
  // NaN sorts first.
  EXPECT_TRUE(std::isnan(quantile(0.4, {1, kNotANumber, 2})));
  EXPECT_EQ(quantile(0.75, {1, kNotANumber, 2}), 1.5);
}

TEST(Quantile, AgreesWithSorting) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 500; ++i) {
    std::vector<double> values;
    for (size_t n = 1 + random() % 40; n > 0; --n) {
      values.push_back(random() % 9 == 0 ? kNotANumber : static_cast<double>(random() % 20));
    }
    double q = static_cast<double>(random() % 101) / 100;
    std::vector<double> sorted = values;
    std::stable_sort(sorted.begin(), sorted.end(),
                     [](double a, double b) { return std::isnan(a) ? !std::isnan(b) : a < b; });
    double rank = q * static_cast<double>(sorted.size() - 1);
    size_t low = static_cast<size_t>(rank), high = std::min(low + 1, sorted.size() - 1);
    double weight = rank - std::floor(rank);
    double expected = sorted[low] * (1 - weight) + sorted[high] * weight;
    double actual = Quantile(q, values);
    EXPECT_TRUE(expected == actual || (std::isnan(expected) && std::isnan(actual))) << i;
  }
}

TEST(Math, ExtremaAreGos) {
  EXPECT_EQ(GoMax(kNotANumber, kInfinite), kInfinite);
  EXPECT_TRUE(std::isnan(GoMax(kNotANumber, 1)));
  EXPECT_FALSE(std::signbit(GoMax(-0.0, 0.0)));
  EXPECT_TRUE(std::signbit(GoMin(-0.0, 0.0)));
  EXPECT_EQ(GoMin(-kInfinite, kNotANumber), -kInfinite);
}

}  // namespace
}  // namespace gauntlet::promql
