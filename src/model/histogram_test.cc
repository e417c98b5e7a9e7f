#include "model/histogram.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "model/histogram_buckets.h"

namespace gauntlet {
namespace {

using Buckets = std::vector<double>;
using Spans = std::vector<HistogramSpan>;

Histogram Sample() {
  Histogram h;
  h.zero_threshold = 0.001;
  h.zero_count = 1;
  h.count = 10;
  h.sum = 2.5;
  h.positive_spans = {{-1, 2}, {1, 2}};
  h.positive_buckets = {2, 0, 3, 1};
  h.negative_spans = {{0, 2}};
  h.negative_buckets = {1, 2};
  return h;
}

Histogram Custom(Buckets bounds, Spans spans, Buckets buckets) {
  Histogram h;
  h.schema = kCustomBucketsSchema;
  h.custom_values = std::move(bounds);
  h.positive_spans = std::move(spans);
  h.positive_buckets = std::move(buckets);
  for (double v : h.positive_buckets) h.count += v;
  return h;
}

TEST(Histogram, TextIsThatOfGo) {
  EXPECT_EQ(HistogramString(Sample()),
            "{count:10, sum:2.5, [-2,-1):2, [-1,-0.5):1, [-0.001,0.001]:1, (0.25,0.5]:2, (2,4]:3, (4,8]:1}");
  EXPECT_EQ(HistogramString(Histogram()), "{count:0, sum:0}");
  EXPECT_EQ(HistogramString(Custom({1, 2.5}, {{0, 3}}, {1, 2, 4})),
            "{count:7, sum:0, [-Inf,1]:1, (1,2.5]:2, (2.5,+Inf]:4}");
}

TEST(Histogram, ExpressionIsThatOfTheScripts) {
  EXPECT_EQ(HistogramExpression(Histogram()), "{{}}");
  Histogram h = Sample();
  h.schema = 1;
  h.reset_hint = ResetHint::kNotReset;
  EXPECT_EQ(HistogramExpression(h),
            "{{schema:1 count:10 sum:2.5 z_bucket:1 z_bucket_w:0.001 counter_reset_hint:not_reset offset:-1 "
            "buckets:[2 0 0 3 1] n_buckets:[1 2]}}");
  EXPECT_EQ(HistogramExpression(Custom({5, 10}, {{1, 1}}, {3})),
            "{{schema:-53 count:3 custom_values:[5 10] offset:1 buckets:[3]}}");
}

TEST(HistogramBounds, AreThoseOfPrometheusToTheBit) {
  const std::vector<double> none;
  EXPECT_EQ(BucketBound(0, 0, none), 1);
  EXPECT_EQ(BucketBound(-3, 0, none), 0.125);
  EXPECT_EQ(BucketBound(1, 1, none), 1.414213562373095);
  EXPECT_EQ(BucketBound(7, 3, none), 1.8340080864093422);
  EXPECT_EQ(BucketBound(1, 8, none), 1.0027112750502025);
  EXPECT_EQ(BucketBound(9, 8, none), 1.0246677928971357);
  EXPECT_EQ(BucketBound(-4, -2, none), 1.0 / 65536);
  EXPECT_EQ(BucketBound(1024, 0, none), std::numeric_limits<double>::max());
  EXPECT_EQ(BucketBound(1025, 0, none), std::numeric_limits<double>::infinity());
  EXPECT_EQ(BucketBound(64, -4, none), std::numeric_limits<double>::max());
  EXPECT_EQ(BucketBound(1024 << 8, 8, none), std::numeric_limits<double>::max());
  EXPECT_EQ(BucketBound(std::numeric_limits<int32_t>::min(), -4, none), 0);
  EXPECT_EQ(BucketBound(std::numeric_limits<int32_t>::max(), 8, none), std::numeric_limits<double>::infinity());
  EXPECT_EQ(BucketBound(-1, kCustomBucketsSchema, {1, 2}), -std::numeric_limits<double>::infinity());
  EXPECT_EQ(BucketBound(1, kCustomBucketsSchema, {1, 2}), 2);
  EXPECT_EQ(BucketBound(2, kCustomBucketsSchema, {1, 2}), std::numeric_limits<double>::infinity());
}

TEST(HistogramBounds, OfAllSchemasAgreeWithEachOther) {
  const std::vector<double> none;
  for (int32_t schema = -4; schema < 8; ++schema) {
    const int32_t limit = schema < 0 ? 60 : 300;  // within the range of floats
    for (int32_t i = -limit; i < limit; ++i) {
      ASSERT_EQ(BucketBound(i, schema, none), BucketBound(2 * i, schema + 1, none));
      ASSERT_LT(BucketBound(2 * i - 1, schema + 1, none), BucketBound(2 * i, schema + 1, none));
      ASSERT_EQ(CoarserIndex(2 * i, schema + 1, schema), i);
      ASSERT_EQ(CoarserIndex(2 * i - 1, schema + 1, schema), i);
    }
  }
}

TEST(HistogramBuckets, GoFromTheLowestToTheHighest) {
  Histogram h = Sample();
  h.zero_threshold = 0.3;
  std::vector<double> lower, counts;
  ForEachBucket(h, [&](const HistogramBucket& bucket) {
    lower.push_back(bucket.lower);
    counts.push_back(bucket.count);
  });
  EXPECT_EQ(lower, (std::vector<double>{-2, -1, -0.3, 0.3, 0.5, 2, 4}));  // (0.25, 0.5] is cut at the zero bucket
  EXPECT_EQ(counts, (std::vector<double>{2, 1, 1, 2, 0, 3, 1}));
  std::vector<HistogramBucket> custom;
  AllBuckets(Custom({1, 2}, {{0, 1}, {1, 1}}, {4, 5}), &custom);
  ASSERT_EQ(custom.size(), 2u);
  EXPECT_TRUE(custom[0].lower_inclusive && custom[0].upper_inclusive);
  EXPECT_FALSE(custom[1].lower_inclusive);
  EXPECT_EQ(custom[1].lower, 2);
}

TEST(HistogramBuckets, MergeToACoarserSchema) {
  Histogram h;
  h.schema = 1;
  h.positive_spans = {{-2, 3}, {2, 2}};
  h.positive_buckets = {1, 2, 4, 8, 16};  // indices -2, -1, 0, 3, 4
  BucketCursor cursor(h, BucketCursor::Side::kPositive, 0, 0.5);
  std::vector<std::pair<int32_t, double>> got;
  while (cursor.Next()) got.emplace_back(cursor.index(), cursor.count());
  EXPECT_EQ(got, (std::vector<std::pair<int32_t, double>>{{0, 6}, {2, 24}}));
}

TEST(HistogramBuckets, BrokenSpansEndTheWalk) {
  Histogram h;
  h.positive_buckets = {1, 2, 3};
  EXPECT_FALSE(BucketCursor(h, BucketCursor::Side::kPositive).Next());
  h.positive_spans = {{0, 2}};
  size_t n = 0;
  ForEachBucket(h, [&](const HistogramBucket&) { ++n; });
  EXPECT_EQ(n, 2u);
  h.positive_spans = {{std::numeric_limits<int32_t>::max(), 1}, {std::numeric_limits<int32_t>::max(), 4'000'000'000}};
  n = 0;
  ForEachBucket(h, [&](const HistogramBucket&) { ++n; });
  EXPECT_EQ(n, 3u);
  EXPECT_TRUE(SameHistogram(h, h));
  CompactHistogram(h);
}

TEST(Histogram, CompactDropsEmptyBuckets) {
  Histogram h;
  h.positive_spans = {{-3, 3}, {0, 0}, {2, 4}, {5, 1}};
  h.positive_buckets = {0, 1, 0, 2, 0, 0, 3, 0};
  Histogram none = h, two = h;
  CompactHistogram(none);
  EXPECT_EQ(none.positive_spans, (Spans{{-2, 1}, {3, 1}, {2, 1}}));
  EXPECT_EQ(none.positive_buckets, (Buckets{1, 2, 3}));
  CompactHistogram(two, 2);
  EXPECT_EQ(two.positive_spans, (Spans{{-2, 1}, {3, 4}}));
  EXPECT_EQ(two.positive_buckets, (Buckets{1, 2, 0, 0, 3}));
  // Several gaps that close: each zero at its place (3.14 misplaced those after the first).
  h.positive_spans = {{0, 1}, {1, 1}, {2, 2}};
  h.positive_buckets = {1, 2, 3, 4};
  CompactHistogram(h, 3);
  EXPECT_EQ(h.positive_spans, (Spans{{0, 7}}));
  EXPECT_EQ(h.positive_buckets, (Buckets{1, 0, 2, 0, 0, 3, 4}));
}

TEST(Histogram, EqualityIsByBitsAndNotByTheWayOfWriting) {
  Histogram a = Sample(), b = Sample();
  EXPECT_TRUE(SameHistogram(a, b));
  b.positive_spans = {{-4, 0}, {3, 2}, {0, 0}, {1, 2}, {7, 0}};
  EXPECT_TRUE(SameHistogram(a, b));
  b.reset_hint = ResetHint::kGauge;
  b.is_float = false;
  EXPECT_TRUE(SameHistogram(a, b));
  b.sum = std::nan("");
  EXPECT_FALSE(SameHistogram(a, b));
  a.sum = std::nan("");
  EXPECT_TRUE(SameHistogram(a, b));
  b.positive_buckets[1] = -0.0;
  EXPECT_FALSE(SameHistogram(a, b));
}

TEST(Histogram, ResetIsAnyLossThatACounterCannotHave) {
  const Histogram before = Sample();
  EXPECT_FALSE(DetectReset(before, before));
  auto after = [&](auto change) {
    Histogram h = Sample();
    change(h);
    return DetectReset(h, before);
  };
  EXPECT_FALSE(after([](Histogram& h) { h.count = 11, h.positive_buckets[0] = 3; }));
  EXPECT_TRUE(after([](Histogram& h) { h.count = 9; }));
  EXPECT_TRUE(after([](Histogram& h) { h.zero_count = 0; }));
  EXPECT_TRUE(after([](Histogram& h) { h.positive_buckets[2] = 2; }));
  EXPECT_TRUE(after([](Histogram& h) { h.negative_buckets[1] = 1; }));
  EXPECT_TRUE(after([](Histogram& h) { h.negative_spans.clear(), h.negative_buckets.clear(); }));
  EXPECT_TRUE(after([](Histogram& h) { h.schema = 1; }));
  EXPECT_TRUE(after([](Histogram& h) { h.zero_threshold = 0.0001; }));
  EXPECT_TRUE(after([](Histogram& h) { h.zero_threshold = 0.3, h.zero_count = 99; }));  // within a populated bucket
  EXPECT_TRUE(after([](Histogram& h) { h.reset_hint = ResetHint::kReset; }));
  EXPECT_FALSE(after([](Histogram& h) { h.reset_hint = ResetHint::kNotReset, h.count = 0; }));
  EXPECT_FALSE(after([](Histogram& h) {  // an empty bucket may vanish
    CompactHistogram(h);
  }));
  EXPECT_FALSE(after([](Histogram& h) {  // the zero bucket swallows (0.25, 0.5] and its two
    h.zero_threshold = 0.5, h.zero_count = 3;
    h.positive_spans = {{2, 2}}, h.positive_buckets = {3, 1};
  }));
}

TEST(Histogram, ResetLooksAtAllBucketsOfASideThatIsGone) {
  Histogram before, after;
  before.positive_spans = {{0, 3}};
  before.positive_buckets = {0, 0, 1};
  EXPECT_TRUE(DetectReset(after, before));
  before.positive_buckets = {0, 0, 0};
  EXPECT_FALSE(DetectReset(after, before));
}

TEST(Histogram, ResetWithCustomBoundsComparesAtCommonOnes) {
  Histogram before = Custom({1, 2, 3}, {{0, 4}}, {1, 1, 1, 1});
  EXPECT_FALSE(DetectReset(Custom({1, 3}, {{0, 3}}, {1, 2, 1}), before));
  EXPECT_TRUE(DetectReset(Custom({1, 3}, {{0, 3}}, {1, 1, 2}), before));
  EXPECT_FALSE(DetectReset(Custom({1, 2.5, 3}, {{0, 4}}, {1, 0, 2, 1}), before));
  Histogram exponential = Sample();
  exponential.count = 1;
  EXPECT_TRUE(DetectReset(before, exponential));
}

TEST(Histogram, ValidationSpeaksAsUpstream) {
  auto error = [](const Histogram& h) { return std::string(ValidateHistogram(h).message()); };
  EXPECT_EQ(error(Sample()), "");
  EXPECT_EQ(error(Custom({1, 2}, {{0, 3}}, {1, 2, 3})), "");
  Histogram h = Sample();
  h.schema = 9;
  EXPECT_EQ(
      error(h),
      "histogram has an invalid schema, which must be between -4 and 8 for exponential buckets, or -53 for custom "
      "buckets, got schema 9");
  h = Sample();
  h.positive_buckets.pop_back();
  EXPECT_EQ(error(h),
            "positive side: spans need 4 buckets, have 3 buckets: histogram spans specify different number of buckets "
            "than provided");
  h = Sample();
  h.negative_spans.push_back({-1, 0});
  EXPECT_EQ(error(h), "negative side: span number 2 with offset -1: histogram has a span whose offset is negative");
  h = Sample();
  h.negative_buckets[0] = -1;
  EXPECT_EQ(
      error(h),
      "negative side: bucket number 1 has observation count of -1: histogram has a bucket whose observation count "
      "is negative");
  h = Sample();
  h.is_float = false;
  EXPECT_EQ(error(h), "");
  h.count = 11;
  EXPECT_EQ(
      error(h),
      "10 observations found in buckets, but the Count field is 11: histogram's observation count should equal the "
      "number of observations found in the buckets (in absence of NaN)");
  h.sum = std::nan("");
  EXPECT_EQ(error(h), "");
  EXPECT_EQ(error(Custom({2, 1}, {}, {})),
            "custom buckets: previous bound is 2.000000 and current is 1.000000: histogram custom bounds must be in "
            "strictly increasing order");
  EXPECT_EQ(error(Custom({1}, {{0, 3}}, {1, 2, 3})),
            "custom buckets: only 1 custom bounds defined which is insufficient to cover total span length of 3: "
            "histogram custom bounds are too few");
  h = Custom({1}, {}, {});
  h.zero_threshold = 1;
  EXPECT_EQ(error(h), "custom buckets: must have zero threshold of 0");
}

}  // namespace
}  // namespace gauntlet
