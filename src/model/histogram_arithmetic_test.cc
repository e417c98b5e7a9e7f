#include "model/histogram_arithmetic.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <random>

#include "model/histogram_buckets.h"

namespace gauntlet {
namespace {

using Counts = std::map<int32_t, double>;

// A histogram by the indexes of its buckets.
Histogram Make(int32_t schema, double threshold, double zeros, Counts positive, Counts negative = {}) {
  Histogram h;
  h.schema = schema;
  h.zero_threshold = threshold;
  h.zero_count = h.count = zeros;
  auto side = [&](const Counts& counts, std::vector<HistogramSpan>* spans, std::vector<double>* buckets) {
    int32_t next = 0;
    for (const auto& [index, count] : counts) {
      spans->push_back({index - next, 1});
      buckets->push_back(count);
      h.count += count;
      next = index + 1;
    }
  };
  side(positive, &h.positive_spans, &h.positive_buckets);
  side(negative, &h.negative_spans, &h.negative_buckets);
  return h;
}

Histogram Custom(std::vector<double> bounds, Counts counts) {
  Histogram h = Make(kCustomBucketsSchema, 0, 0, std::move(counts));
  h.custom_values = std::move(bounds);
  return h;
}

std::string Text(Histogram h) {
  CompactHistogram(h);
  return HistogramExpression(h);
}

TEST(HistogramAddition, JoinsLayouts) {
  struct {
    Histogram a, b, sum;
  } const cases[] = {
      {Make(0, 0.01, 1, {{0, 1}, {1, 2}, {5, 3}}), Make(0, 0.01, 2, {{0, 4}, {1, 5}, {5, 6}}),
       Make(0, 0.01, 3, {{0, 5}, {1, 7}, {5, 9}})},
      {Make(0, 0, 0, {{3, 1}}, {{-2, 1}}), Make(0, 0, 0, {{-3, 2}, {2, 3}, {4, 4}, {9, 1}}, {{-2, 1}, {-1, 7}}),
       Make(0, 0, 0, {{-3, 2}, {2, 3}, {3, 1}, {4, 4}, {9, 1}}, {{-2, 2}, {-1, 7}})},
      {Make(0, 0, 0, {}), Make(0, 0, 0, {{1, 1}}), Make(0, 0, 0, {{1, 1}})},
      // The coarser schema wins, whichever side it is on: 1 and 2 of schema 1 are 1 of schema 0.
      {Make(1, 0, 0, {{-1, 1}, {0, 2}, {1, 4}, {2, 8}, {3, 16}}), Make(0, 0, 0, {{1, 100}}),
       Make(0, 0, 0, {{0, 3}, {1, 112}, {2, 16}})},
      {Make(0, 0, 0, {{1, 100}}, {{0, 1}}), Make(2, 0, 0, {{1, 1}, {4, 2}, {5, 4}}, {{-3, 1}, {0, 5}}),
       Make(0, 0, 0, {{1, 103}, {2, 4}}, {{0, 7}})},
      // The larger zero bucket swallows buckets of the other.
      {Make(0, 0.5, 10, {{0, 5}, {1, 1}}), Make(0, 0.25, 1, {{-1, 2}, {0, 3}, {2, 1}}, {{-1, 4}, {0, 8}}),
       Make(0, 0.5, 17, {{0, 8}, {1, 1}, {2, 1}}, {{0, 8}})},
      // A threshold inside a populated bucket moves to its end, for both.
      {Make(0, 0.3, 10, {{0, 5}, {1, 1}}), Make(0, 0.01, 1, {{-1, 2}, {0, 3}}), Make(0, 0.5, 13, {{0, 8}, {1, 1}})},
      {Make(0, 0.001, 1, {{-1, 2}, {3, 1}}, {{0, 1}}), Make(0, 0.7, 2, {{1, 1}}, {{0, 1}}),
       Make(0, 1, 7, {{1, 1}, {3, 1}}, {})},
      {Custom({1, 2, 4}, {{0, 1}, {2, 3}, {3, 1}}), Custom({1, 2, 4}, {{1, 5}, {3, 1}}),
       Custom({1, 2, 4}, {{0, 1}, {1, 5}, {2, 3}, {3, 2}})},
      // Only bounds that both have remain.
      {Custom({1, 2, 4}, {{0, 1}, {1, 2}, {2, 3}, {3, 4}}), Custom({2, 3, 4}, {{0, 10}, {1, 20}, {2, 30}, {3, 40}}),
       Custom({2, 4}, {{0, 13}, {1, 53}, {2, 44}})},
      {Custom({1}, {{0, 1}, {1, 2}}), Custom({2}, {{0, 4}, {1, 8}}), Custom({}, {{0, 15}})},
  };
  for (const auto& c : cases) {
    Histogram sum = c.a, kahan = c.a;
    HistogramMeeting meeting = AddHistogram(sum, c.b);
    EXPECT_TRUE(meeting.compatible);
    EXPECT_EQ(meeting.bounds_reconciled, c.a.custom_values != c.b.custom_values);
    Histogram expected = c.sum;
    EXPECT_EQ(Text(sum), Text(expected));
    HistogramCompensation compensation;
    KahanAddHistogram(kahan, c.b, compensation);
    ASSERT_EQ(compensation.positive.size(), kahan.positive_buckets.size());
    ASSERT_EQ(compensation.negative.size(), kahan.negative_buckets.size());
    AddCompensation(kahan, compensation);
    EXPECT_EQ(Text(kahan), Text(expected));
    // And back, where nothing was merged.
    Histogram difference = sum;
    SubtractHistogram(difference, c.b);
    if (c.a.schema == sum.schema && c.a.zero_threshold == sum.zero_threshold &&
        c.a.custom_values == sum.custom_values) {
      EXPECT_EQ(Text(difference), Text(c.a));
    }
  }
}

TEST(HistogramAddition, SubtractionMayGoBelowZero) {
  Histogram h = Make(0, 0, 1, {{1, 2}});
  SubtractHistogram(h, Make(0, 0, 3, {{1, 5}, {2, 1}}));
  EXPECT_EQ(Text(h), Text(Make(0, 0, -2, {{1, -3}, {2, -1}})));
}

TEST(HistogramAddition, CustomAndExponentialBucketsDoNotMix) {
  Histogram h = Make(0, 0, 1, {{1, 2}});
  const Histogram before = h;
  EXPECT_FALSE(AddHistogram(h, Custom({1}, {{0, 1}})).compatible);
  EXPECT_TRUE(SameHistogram(h, before));
}

TEST(HistogramAddition, HintsFollowTheTable) {
  constexpr auto kU = ResetHint::kUnknown, kR = ResetHint::kReset, kN = ResetHint::kNotReset, kG = ResetHint::kGauge;
  struct {
    ResetHint a, b, sum;
    bool collision;
  } const cases[] = {
      {kU, kU, kU, false}, {kR, kR, kR, false}, {kN, kN, kN, false}, {kG, kG, kG, false},
      {kU, kR, kU, false}, {kR, kU, kU, false}, {kN, kU, kU, false}, {kG, kR, kG, false},
      {kN, kG, kG, false}, {kG, kU, kG, false}, {kR, kN, kU, true},  {kN, kR, kU, true},
  };
  for (const auto& c : cases) {
    Histogram a = Make(0, 0, 1, {}), b = a;
    a.reset_hint = c.a;
    b.reset_hint = c.b;
    EXPECT_EQ(AddHistogram(a, b).reset_collision, c.collision);
    EXPECT_EQ(a.reset_hint, c.sum);
  }
}

TEST(HistogramAddition, CompensationKeepsWhatRoundingLoses) {
  Histogram sum = Make(0, 0, 0, {{1, 1e16}}, {{1, 1}});
  sum.sum = 1;
  HistogramCompensation c;
  for (int i = 0; i < 3; ++i) {
    Histogram one = Make(0, 0, 0, {{1, 1}, {2, 1e16}}, {});
    one.sum = i == 0 ? 1e100 : i == 1 ? 1 : -1e100;
    KahanAddHistogram(sum, one, c);
  }
  // A finer one, whose buckets merge with compensation too.
  KahanAddHistogram(sum, Make(1, 0, 0, {{1, 1e16}, {2, 1}}), c);
  AddCompensation(sum, c);
  EXPECT_EQ(sum.sum, 2);
  EXPECT_EQ(sum.positive_buckets[0], 2e16 + 4);
}

TEST(HistogramAddition, BrokenLayoutsAreSafe) {
  Histogram broken;
  broken.positive_spans = {{std::numeric_limits<int32_t>::max(), 3}, {-7, 2}, {std::numeric_limits<int32_t>::max(), 9}};
  broken.positive_buckets = {1, 2, 3, 4, 5, 6};
  broken.negative_spans = {{0, 4'000'000'000}};
  broken.negative_buckets = {1};
  broken.zero_threshold = std::nan("");
  for (int32_t schema : {-4, 0, 8}) {
    broken.schema = schema;
    Histogram h = Make(0, 0.1, 1, {{1, 1}, {2, 5}}, {{0, 1}}), again = broken;
    HistogramCompensation c;
    AddHistogram(h, broken);
    KahanAddHistogram(again, Make(2, 0.1, 1, {{1, 1}}), c);
    AddCompensation(again, c);
    TrimHistogram(again, 3, TrimSide::kAbove);
  }
}

TEST(HistogramScaling, ScalesAllCounts) {
  Histogram h = Make(0, 0.1, 1, {{1, 2}}, {{3, 4}});
  h.sum = 5;
  MultiplyHistogram(h, 2);
  EXPECT_EQ(Text(h), Text([] {
              Histogram e = Make(0, 0.1, 2, {{1, 4}}, {{3, 8}});
              e.sum = 10;
              return e;
            }()));
  EXPECT_EQ(h.reset_hint, ResetHint::kUnknown);
  DivideHistogram(h, -4);
  EXPECT_EQ(h.reset_hint, ResetHint::kGauge);
  EXPECT_EQ(h.positive_buckets[0], -1);
  EXPECT_EQ(h.sum, -2.5);
  DivideHistogram(h, 0);
  EXPECT_TRUE(h.positive_buckets.empty() && h.negative_spans.empty());
  EXPECT_EQ(h.sum, -std::numeric_limits<double>::infinity());
  EXPECT_TRUE(HasOverflow(h));
}

TEST(HistogramScaling, CoarserSchemasMergeBuckets) {
  Histogram h = Make(2, 0, 0, {{-4, 1}, {-3, 2}, {0, 4}, {1, 8}, {9, 16}}, {{5, 1}});
  ReduceResolution(h, 0);
  EXPECT_EQ(Text(h), Text(Make(0, 0, 0, {{-1, 1}, {0, 6}, {1, 8}, {3, 16}}, {{2, 1}})));
}

TEST(HistogramTrim, InterpolatesInTheBucketThatIsCut) {
  struct {
    Histogram h;
    double bound;
    TrimSide side;
    double count, sum;
  } const cases[] = {
      // Nothing goes: count and sum stay as given.
      {Make(0, 0, 0, {{1, 2}, {2, 4}}), 4, TrimSide::kAbove, 6, 0},
      {Make(0, 0, 0, {{1, 2}, {2, 4}}), 1, TrimSide::kBelow, 6, 0},
      {Make(0, 0, 0, {{1, 2}, {2, 4}}), 2, TrimSide::kAbove, 2, 2 * std::sqrt(2.0)},
      {Make(0, 0, 0, {{1, 2}, {2, 4}}), 2, TrimSide::kBelow, 4, 4 * std::sqrt(8.0)},
      // sqrt(2) is the middle of (1, 2] on a logarithmic scale.
      {Make(0, 0, 0, {{1, 2}}), std::sqrt(2.0), TrimSide::kAbove, 1, std::sqrt(std::sqrt(2.0))},
      {Make(0, 0, 0, {}, {{1, 2}}), -std::sqrt(2.0), TrimSide::kBelow, 1, -std::sqrt(std::sqrt(2.0))},
      {Make(0, 0, 0, {}, {{1, 2}}), -1.5, TrimSide::kAbove, 2 * (1 - std::log2(1.5)),
       -2 * (1 - std::log2(1.5)) * std::sqrt(3.0)},
      // The zero bucket: alone it is symmetric, beside positive buckets it begins at 0.
      {Make(0, 1, 4, {}), 0.5, TrimSide::kAbove, 3, 3 * -0.25},
      {Make(0, 1, 4, {}), 0.5, TrimSide::kBelow, 1, 0.75},
      {Make(0, 1, 4, {{2, 1}}), 0.5, TrimSide::kAbove, 2, 0.5},
      {Make(0, 1, 4, {}, {{2, 1}}), 0, TrimSide::kBelow, 0, 0},
      // Custom buckets are linear; the first begins at 0, the last has no end.
      {Custom({4, 8}, {{0, 4}, {1, 4}, {2, 4}}), 2, TrimSide::kAbove, 2, 2},
      {Custom({4, 8}, {{0, 4}, {1, 4}, {2, 4}}), 1, TrimSide::kBelow, 11, 3 * 2.5 + 4 * 6 + 4 * 8},
      {Custom({4, 8}, {{0, 4}, {1, 4}, {2, 4}}), 6, TrimSide::kAbove, 6, 4 * 2 + 2 * 5},
      {Custom({4, 8}, {{0, 4}, {1, 4}, {2, 4}}), 10, TrimSide::kAbove, 8, 4 * 2 + 4 * 6},
      {Custom({4, 8}, {{0, 4}, {1, 4}, {2, 4}}), 10, TrimSide::kBelow, 4, 40},
      {Custom({-4}, {{0, 4}, {1, 4}}), -5, TrimSide::kBelow, 4, 4 * -4},
  };
  for (const auto& c : cases) {
    Histogram h = c.h;
    TrimHistogram(h, c.bound, c.side);
    EXPECT_DOUBLE_EQ(h.count, c.count) << Text(c.h) << " at " << c.bound;
    EXPECT_DOUBLE_EQ(h.sum, c.sum) << Text(c.h) << " at " << c.bound;
  }
}

// Sums by index, without spans, judge the merging of layouts.
TEST(HistogramAddition, AgreesWithSumsByIndex) {
  std::mt19937 random(7);
  auto counts = [&](int32_t schema) {
    Counts out;
    for (int i = static_cast<int>(random() % 8); i > 0; --i) {
      out[static_cast<int32_t>(random() % (8u << schema)) + 1] = 1 + random() % 9;
    }
    return out;
  };
  for (int round = 0; round < 2000; ++round) {
    const int32_t a_schema = static_cast<int32_t>(random() % 3), b_schema = static_cast<int32_t>(random() % 3);
    const Counts ap = counts(a_schema), bp = counts(b_schema), an = counts(a_schema), bn = counts(b_schema);
    const int32_t schema = std::min(a_schema, b_schema);
    auto sum = [&](const Counts& a, const Counts& b) {
      Counts out;
      for (const auto& [i, v] : a) out[CoarserIndex(i, a_schema, schema)] += v;
      for (const auto& [i, v] : b) out[CoarserIndex(i, b_schema, schema)] += v;
      return out;
    };
    Histogram h = Make(a_schema, 0, 1, ap, an), kahan = h;
    const Histogram other = Make(b_schema, 0, 2, bp, bn);
    const std::string expected = Text(Make(schema, 0, 3, sum(ap, bp), sum(an, bn)));
    AddHistogram(h, other);
    ASSERT_EQ(Text(h), expected);
    HistogramCompensation c;
    KahanAddHistogram(kahan, other, c);
    ASSERT_EQ(Text(kahan), expected);
  }
}

}  // namespace
}  // namespace gauntlet
