// Estimates are to the bit as upstream's functions gave them.

#include "promql/exec/histograms/native_histogram.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "promql/exec/histograms/testing/histograms.h"

namespace gauntlet::promql {
namespace {

constexpr double kInfinite = std::numeric_limits<double>::infinity();
constexpr double kNotANumber = std::numeric_limits<double>::quiet_NaN();

// Both sides and a zero bucket; positive ones and a wide zero bucket; custom bounds; negative ones; as the first, with
// observations of NaN.
std::vector<Histogram> Examples() {
  Histogram both;
  both.schema = 1;
  both.zero_threshold = 0.001;
  both.zero_count = 2;
  both.count = 21;
  both.sum = 30;
  both.positive_spans = {{-1, 2}, {1, 2}};
  both.positive_buckets = {2, 3, 4, 1};
  both.negative_spans = {{0, 2}};
  both.negative_buckets = {4, 5};
  Histogram positive;
  positive.zero_threshold = 0.5;
  positive.zero_count = 4;
  positive.count = 10;
  positive.sum = 12;
  positive.positive_spans = {{1, 2}};
  positive.positive_buckets = {4, 2};
  Histogram nans = both;
  nans.count = 25;
  nans.sum = kNotANumber;
  return {both, positive, Custom({1, 2, 5}, {4, 3, 3, 2}, 40), Custom({-3, 2}, {4, 6, 2}, 40), nans};
}

void ExpectSame(double actual, double expected) {
  if (std::isnan(expected)) {
    EXPECT_TRUE(std::isnan(actual)) << actual;
  } else {
    EXPECT_EQ(actual, expected);
  }
}

TEST(NativeHistogram, QuantilesAreThoseOfUpstream) {
  struct {
    size_t histogram;
    double q, value;
    bool note;
  } const cases[] = {
      {0, -1, -kInfinite, 0},
      {0, 0, -1.414213562373095, 0},
      {0, 0.1, -1.2226402776920684, 0},
      {0, 0.3, -0.8934754536956513, 0},
      {0, 0.45, -0.000549999999999999, 0},
      {0, 0.5, 0.0005, 0},
      {0, 0.7, 0.8605514372443299, 0},
      {0, 0.9, 1.8181862590551185, 0},
      {0, 1, 2.82842712474619, 0},
      {0, 2, kInfinite, 0},
      {1, -1, -kInfinite, 0},
      {1, 0, 0, 0},
      {1, 0.1, 0.125, 0},
      {1, 0.3, 0.375, 0},
      {1, 0.45, 1.0905077326652577, 0},
      {1, 0.5, 1.189207115002721, 0},
      {1, 0.7, 1.681792830507429, 0},
      {1, 0.9, 2.82842712474619, 0},
      {1, 1, 4, 0},
      {1, 2, kInfinite, 0},
      {2, -1, -kInfinite, 0},
      {2, 0, 0, 0},
      {2, 0.1, 0.30000000000000004, 0},
      {2, 0.3, 0.8999999999999999, 0},
      {2, 0.45, 1.4666666666666668, 0},
      {2, 0.5, 1.6666666666666665, 0},
      {2, 0.7, 3.3999999999999995, 0},
      {2, 0.9, 5, 0},
      {2, 1, 5, 0},
      {2, 2, kInfinite, 0},
      {3, -1, -kInfinite, 0},
      {3, 0, -3, 0},
      {3, 0.1, -3, 0},
      {3, 0.3, -3, 0},
      {3, 0.45, -1.833333333333333, 0},
      {3, 0.5, -1.3333333333333335, 0},
      {3, 0.7, 0.6666666666666665, 0},
      {3, 0.9, 2, 0},
      {3, 1, 2, 0},
      {3, 2, kInfinite, 0},
      {4, -1, -kInfinite, 0},
      {4, 0, 2, 1},
      {4, 0.1, 4.756828460010884, 1},
      {4, 0.3, 4.756828460010884, 1},
      {4, 0.45, 2.1810154653305154, 1},
      {4, 0.5, 3.3635856610148585, 1},
      {4, 0.7, 3.3635856610148585, 1},
      {4, 0.9, kNotANumber, 1},
      {4, 1, kNotANumber, 1},
      {4, 2, kInfinite, 0},
  };
  const std::vector<Histogram> histograms = Examples();
  for (const auto& c : cases) {
    SCOPED_TRACE(testing::Message() << "histogram " << c.histogram << " q " << c.q);
    NaNObservations nans;
    ExpectSame(NativeQuantile(c.q, histograms[c.histogram], &nans), c.value);
    EXPECT_EQ(nans.result_is_nan || nans.skewed, c.note);
  }
  NaNObservations nans;
  ExpectSame(NativeQuantile(0.5, Histogram(), &nans), kNotANumber);
  ExpectSame(NativeQuantile(kNotANumber, histograms[0], &nans), kNotANumber);
}

TEST(NativeHistogram, FractionsAreThoseOfUpstream) {
  struct {
    size_t histogram;
    double lower, upper, value;
    bool note;
  } const cases[] = {
      {0, -1, 1, 0.5238095238095238, 0},
      {0, 0, 0.7, 0.14008130041337943, 0},
      {0, -0.8, 3, 0.6392654876619572, 0},
      {0, 0.0005, 1.2, 0.2619047619047619, 0},
      {0, 1.5, 1.5, 0, 0},
      {0, 1.5, kInfinite, 0.20572857115384513, 0},
      {0, -kInfinite, 0.3, 0.5238095238095238, 0},
      {1, -1, 1, 0.4, 0},
      {1, 0, 0.7, 0.4, 0},
      {1, -0.8, 3, 0.9169925001442312, 0},
      {1, 0.0005, 1.2, 0.5048137623335176, 0},
      {1, 1.5, 1.5, 0, 0},
      {1, 1.5, kInfinite, 0.3660149997115375, 0},
      {1, -kInfinite, 0.3, 0.24, 0},
      {2, -1, 1, 0.3333333333333333, 0},
      {2, 0, 0.7, 0.2333333333333333, 0},
      {2, -0.8, 3, 0.6666666666666666, 0},
      {2, 0.0005, 1.2, 0.38316666666666666, 0},
      {2, 1.5, 1.5, 0, 0},
      {2, 1.5, kInfinite, 0.5416666666666666, 0},
      {2, -kInfinite, 0.3, 0.09999999999999999, 0},
      {3, -1, 1, 0.25, 0},
      {3, 0, 0.7, 0.17499999999999996, 0},
      {3, -0.8, 3, 0.5, 0},
      {3, 0.0005, 1.2, 0.29987499999999995, 0},
      {3, 1.5, 1.5, 0, 0},
      {3, 1.5, kInfinite, 0.2916666666666667, 0},
      {3, -kInfinite, 0.3, 0.4083333333333334, 0},
      {4, -1, 1, 0.44, 1},
      {4, 0, 0.7, 0.11766829234723872, 1},
      {4, -0.8, 3, 0.5369830096360441, 1},
      {4, 0.0005, 1.2, 0.22, 1},
      {4, 1.5, 1.5, 0, 0},
      {4, 1.5, kInfinite, 0.17281199976922992, 1},
      {4, -kInfinite, 0.3, 0.44, 1},
  };
  const std::vector<Histogram> histograms = Examples();
  for (const auto& c : cases) {
    SCOPED_TRACE(testing::Message() << "histogram " << c.histogram << " from " << c.lower << " to " << c.upper);
    NaNObservations nans;
    ExpectSame(NativeFraction(c.lower, c.upper, histograms[c.histogram], &nans), c.value);
    EXPECT_EQ(nans.skewed, c.note);
  }
}

TEST(NativeHistogram, VarianceIsAroundTheMeanOfTheSum) {
  // All in (1, 2], for which the geometric mean stands; the mean is 1.5.
  Histogram h;
  h.count = 4;
  h.sum = 6;
  h.positive_spans = {{1, 1}};
  h.positive_buckets = {4};
  EXPECT_DOUBLE_EQ(NativeVariance(h), (std::sqrt(2.0) - 1.5) * (std::sqrt(2.0) - 1.5));
  EXPECT_DOUBLE_EQ(NativeVariance(Custom({0, 2}, {0, 4}, 8)), 1);  // the middle is 1, the mean 2
}

}  // namespace
}  // namespace gauntlet::promql
