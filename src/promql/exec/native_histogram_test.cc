// Native histograms in exec: estimates (to the bit as upstream's functions gave them), sums, operators, statistics.

#include "promql/exec/histograms/native_histogram.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "model/stale.h"
#include "promql/exec/binary/binary_histograms.h"
#include "promql/exec/histograms/histogram_statistics.h"
#include "promql/exec/histograms/histogram_total.h"

namespace gauntlet::promql {
namespace {

constexpr double kInfinite = std::numeric_limits<double>::infinity();
constexpr double kNotANumber = std::numeric_limits<double>::quiet_NaN();

Histogram Simple(double count, ResetHint hint = ResetHint::kUnknown) {
  Histogram h;
  h.reset_hint = hint;
  h.count = h.sum = count;
  h.positive_spans = {{0, 1}};
  h.positive_buckets = {count};
  return h;
}

Histogram Custom(std::vector<double> bounds, std::vector<double> counts, double sum) {
  Histogram h;
  h.schema = kCustomBucketsSchema;
  h.custom_values = std::move(bounds);
  h.positive_spans = {{0, static_cast<uint32_t>(counts.size())}};
  for (double count : counts) h.count += count;
  h.sum = sum;
  h.positive_buckets = std::move(counts);
  return h;
}

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

TEST(BinaryHistograms, TypesDecideWhatGoesTogether) {
  const Operand h{0, std::make_shared<Histogram>(Simple(4))}, f{2, nullptr};
  constexpr BinaryNote kTypes = BinaryNote::kIncompatibleTypes, kNone = BinaryNote::kNone;
  struct {
    BinaryOp op;
    BinaryNote histogram_histogram, histogram_float, float_histogram;
  } const cases[] = {
      {BinaryOp::kAdd, kNone, kTypes, kTypes},       {BinaryOp::kSub, kNone, kTypes, kTypes},
      {BinaryOp::kMul, kTypes, kNone, kNone},        {BinaryOp::kDiv, kTypes, kNone, kTypes},
      {BinaryOp::kMod, kTypes, kTypes, kTypes},      {BinaryOp::kPow, kTypes, kTypes, kTypes},
      {BinaryOp::kEqual, kNone, kTypes, kTypes},     {BinaryOp::kNotEqual, kNone, kTypes, kTypes},
      {BinaryOp::kGreater, kTypes, kTypes, kTypes},  {BinaryOp::kTrimLower, kTypes, kNone, kTypes},
      {BinaryOp::kTrimUpper, kTypes, kNone, kTypes},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(BinaryOpText(c.op));
    EXPECT_EQ(CombineHistograms(c.op, h, h).note, c.histogram_histogram);
    EXPECT_EQ(CombineHistograms(c.op, h, f).note, c.histogram_float);
    EXPECT_EQ(CombineHistograms(c.op, f, h).note, c.float_histogram);
  }
  EXPECT_EQ(CombineHistograms(BinaryOp::kSub, h, h).histogram->reset_hint, ResetHint::kGauge);
  EXPECT_TRUE(CombineHistograms(BinaryOp::kSub, h, h).histogram->positive_buckets.empty());
  EXPECT_EQ(CombineHistograms(BinaryOp::kMul, f, h).histogram->count, 8);
  EXPECT_FALSE(CombineHistograms(BinaryOp::kNotEqual, h, h).holds);
}

TEST(BinaryHistograms, CollisionsOfHintsHaveNoResult) {
  const Operand reset{0, std::make_shared<Histogram>(Simple(4, ResetHint::kReset))};
  const Operand not_reset{0, std::make_shared<Histogram>(Simple(4, ResetHint::kNotReset))};
  const Operand custom{0, std::make_shared<Histogram>(Custom({1}, {1, 2}, 3))};
  EXPECT_EQ(CombineHistograms(BinaryOp::kAdd, reset, not_reset).note, BinaryNote::kResetCollision);
  EXPECT_EQ(CombineHistograms(BinaryOp::kAdd, reset, not_reset).histogram, nullptr);
  EXPECT_EQ(CombineHistograms(BinaryOp::kAdd, reset, custom).note, BinaryNote::kIncompatibleBuckets);
  EXPECT_EQ(CombineHistograms(BinaryOp::kEqual, reset, not_reset).note, BinaryNote::kNone);
}

Samples AtTenSeconds(const std::vector<Histogram>& histograms) {
  Samples samples;
  for (size_t i = 0; i < histograms.size(); ++i) {
    samples.times_ms.push_back(static_cast<int64_t>(i) * 10'000);
    samples.values.push_back(0);
    samples.histograms.push_back({static_cast<uint32_t>(i), histograms[i]});
  }
  return samples;
}

std::vector<ResetHint> Hints(const Samples& samples) {
  std::vector<ResetHint> hints;
  for (const HistogramSample& h : samples.histograms) hints.push_back(h.histogram.reset_hint);
  return hints;
}

TEST(HistogramStatistics, HintsComeFromTheBucketsBeforeTheseGo) {
  constexpr auto kU = ResetHint::kUnknown, kR = ResetHint::kReset, kN = ResetHint::kNotReset, kG = ResetHint::kGauge;
  Histogram moved = Simple(9);
  moved.positive_spans = {{5, 1}};  // more than before, but elsewhere
  Histogram stale = Simple(0);
  stale.sum = StaleNaN();
  Samples samples = AtTenSeconds({Simple(1), Simple(2), moved, stale, Simple(1), Simple(1, kG), Simple(3)});
  KeepStatistics({{0, 10'000, 7}, 0, 60'000}, &samples);
  EXPECT_EQ(Hints(samples), (std::vector<ResetHint>{kU, kN, kR, kU, kR, kG, kN}));
  EXPECT_TRUE(samples.histograms[3].histogram.stale());
  for (const HistogramSample& h : samples.histograms) EXPECT_TRUE(h.histogram.positive_buckets.empty());
  EXPECT_EQ(samples.histograms[2].histogram.count, 9);
}

TEST(HistogramStatistics, AfterAJumpNothingIsKnown) {
  constexpr auto kU = ResetHint::kUnknown, kN = ResetHint::kNotReset;
  // Windows of 15 s at 20 s, 50 s, 80 s: between them samples that are jumped over.
  Samples samples = AtTenSeconds(std::vector<Histogram>(10, Simple(1)));
  KeepStatistics({{20'000, 30'000, 3}, 0, 15'000}, &samples);
  EXPECT_EQ(Hints(samples), (std::vector<ResetHint>{kU, kN, kN, kN, kU, kN, kN, kU, kN, kN}));
}

}  // namespace
}  // namespace gauntlet::promql
