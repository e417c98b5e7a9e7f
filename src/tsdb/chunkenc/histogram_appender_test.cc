#include "tsdb/chunkenc/histogram_appender.h"

#include <gtest/gtest.h>

#include <random>

#include "model/stale.h"
#include "tsdb/chunkenc/chunk.h"
#include "tsdb/chunkenc/testing/golden_chunks.h"

namespace gauntlet::tsdb {
namespace {

using Outcome = HistogramAppender::Outcome;

Histogram Make(std::vector<HistogramSpan> spans, std::vector<double> buckets, bool is_float = false) {
  Histogram h;
  h.is_float = is_float;
  h.schema = 2;
  h.zero_threshold = 0.001;
  h.positive_spans = std::move(spans);
  h.positive_buckets = std::move(buckets);
  for (double b : h.positive_buckets) h.count += b;
  h.sum = h.count * 1.5;
  return h;
}

Samples Decode(Encoding encoding, std::string_view bytes) {
  Samples samples;
  EXPECT_TRUE(DecodeChunk({encoding, bytes}, &samples).ok());
  return samples;
}

// Count of the bucket at `index` of the positive side; 0 where there is none.
double At(const Histogram& h, int64_t index) {
  for (BucketCursor c(h.positive_spans); c.valid(); c.Next()) {
    if (c.index() == index) return h.positive_buckets[c.position()];
  }
  return 0;
}

TEST(HistogramAppender, GoldenChunksAreWrittenWithTheSameBytes) {
  if (GoldenChunks().empty()) GTEST_SKIP() << "no shared golden data";
  int checked = 0;
  for (const auto& golden : GoldenChunks()) {
    if (!IsHistogramEncoding(golden.encoding)) continue;
    Samples samples;
    for (const auto& line : golden.samples) AppendSampleText(line, &samples);
    HistogramHeader header;
    ASSERT_TRUE(ReadHistogramHeader(golden.encoding, golden.bytes, &header));
    HistogramAppender appender(golden.encoding), previous(golden.encoding);
    std::string finished;
    // What the writer knew of the chunk before is not in the samples: give it as a hint, or as such a chunk.
    if (header.reset == ResetHeader::kReset) samples.histograms[0].histogram.reset_hint = ResetHint::kReset;
    if (header.reset == ResetHeader::kNotReset) {
      previous.Append(0, 0, samples.histograms[0].histogram, nullptr, &finished);
    }
    for (auto& [i, h] : samples.histograms) {
      h.is_float = IsFloatHistogram(golden.encoding);
      auto outcome = appender.Append(samples.start_times_ms[i], samples.times_ms[i], h,
                                     header.reset == ResetHeader::kNotReset ? &previous : nullptr, &finished);
      ASSERT_EQ(outcome, Outcome::kAppended) << golden.name << " sample " << i;
    }
    EXPECT_EQ(appender.bytes(), golden.bytes) << golden.name;
    ++checked;
  }
  EXPECT_EQ(checked, 202);
}

TEST(HistogramAppender, NewBucketsRewriteTheChunk) {
  for (Encoding encoding : {Encoding::kHistogram, Encoding::kFloatHistogram, Encoding::kHistogramSt}) {
    bool f = IsFloatHistogram(encoding);
    HistogramAppender appender(encoding);
    std::string finished;
    EXPECT_EQ(appender.Append(7, 10, Make({{0, 2}}, {1, 2}, f), nullptr, &finished), Outcome::kAppended);
    EXPECT_EQ(appender.Append(7, 20, Make({{0, 2}, {1, 1}}, {1, 2, 5}, f), nullptr, &finished), Outcome::kRewritten);
    auto samples = Decode(encoding, appender.bytes());
    ASSERT_EQ(samples.size(), 2u);
    EXPECT_EQ(samples.histograms[0].histogram.positive_buckets, (std::vector<double>{1, 2, 0}));
    EXPECT_EQ(samples.histograms[1].histogram.positive_buckets, (std::vector<double>{1, 2, 5}));
    EXPECT_EQ(samples.start_times_ms.empty(), encoding != Encoding::kHistogramSt);
  }
}

TEST(HistogramAppender, MissingEmptyBucketsAreFilledInTheSample) {
  HistogramAppender appender(Encoding::kHistogram);
  std::string finished;
  appender.Append(0, 10, Make({{0, 4}}, {1, 0, 2, 0}), nullptr, &finished);
  EXPECT_EQ(appender.Append(0, 20, Make({{0, 1}, {1, 1}}, {1, 3}), nullptr, &finished), Outcome::kAppended);
  auto samples = Decode(Encoding::kHistogram, appender.bytes());
  EXPECT_EQ(samples.histograms[1].histogram.positive_buckets, (std::vector<double>{1, 0, 3, 0}));
  EXPECT_EQ(appender.Append(0, 30, Make({{2, 1}, {5, 1}}, {3, 9}), nullptr, &finished), Outcome::kNewChunk);
}

TEST(HistogramAppender, ResetsCutTheChunkAndAreMarked) {
  for (bool f : {false, true}) {
    HistogramAppender appender(f ? Encoding::kFloatHistogram : Encoding::kHistogram);
    std::string finished;
    appender.Append(0, 10, Make({{0, 2}}, {5, 2}, f), nullptr, &finished);
    EXPECT_EQ(appender.Append(0, 20, Make({{0, 2}}, {4, 9}, f), nullptr, &finished), Outcome::kNewChunk);
    EXPECT_EQ(Decode(appender.encoding(), finished).size(), 1u);
    EXPECT_EQ(appender.count(), 1);
    EXPECT_EQ(appender.reset_header(), ResetHeader::kReset);
    auto other_schema = Make({{0, 2}}, {40, 90}, f);
    other_schema.schema = 3;
    EXPECT_EQ(appender.Append(0, 30, other_schema, nullptr, &finished), Outcome::kNewChunk);
    EXPECT_EQ(appender.reset_header(), ResetHeader::kUnknown);
    HistogramAppender next(appender.encoding());
    next.Append(0, 40, other_schema, &appender, &finished);
    EXPECT_EQ(next.reset_header(), ResetHeader::kNotReset);
    auto hinted = other_schema;
    hinted.reset_hint = ResetHint::kReset;
    EXPECT_EQ(next.Append(0, 50, hinted, nullptr, &finished), Outcome::kNewChunk);
    EXPECT_EQ(next.reset_header(), ResetHeader::kReset);
  }
}

TEST(HistogramAppender, GaugesMayFallAndGrowBothWays) {
  HistogramAppender appender(Encoding::kFloatHistogram);
  std::string finished;
  auto gauge = [](std::vector<HistogramSpan> spans, std::vector<double> buckets) {
    auto h = Make(std::move(spans), std::move(buckets), true);
    h.reset_hint = ResetHint::kGauge;
    return h;
  };
  appender.Append(0, 10, gauge({{0, 2}}, {5, 6}), nullptr, &finished);
  EXPECT_EQ(appender.Append(0, 20, gauge({{1, 2}}, {1, 2}), nullptr, &finished), Outcome::kRewritten);
  auto samples = Decode(Encoding::kFloatHistogram, appender.bytes());
  EXPECT_EQ(samples.histograms[0].histogram.positive_buckets, (std::vector<double>{5, 6, 0}));
  EXPECT_EQ(samples.histograms[1].histogram.positive_buckets, (std::vector<double>{0, 1, 2}));
  EXPECT_EQ(samples.histograms[1].histogram.reset_hint, ResetHint::kGauge);
  EXPECT_EQ(appender.Append(0, 30, Make({{0, 2}}, {5, 6}, true), nullptr, &finished), Outcome::kNewChunk);
  EXPECT_EQ(appender.reset_header(), ResetHeader::kUnknown);
}

TEST(HistogramAppender, OnlyStaleMarkersFollowAStaleMarker) {
  for (bool f : {false, true}) {
    HistogramAppender appender(f ? Encoding::kFloatHistogramSt : Encoding::kHistogramSt);
    Histogram stale;
    stale.is_float = f;
    stale.sum = StaleNaN();
    std::string finished;
    appender.Append(5, 10, Make({{0, 2}}, {5, 2}, f), nullptr, &finished);
    EXPECT_EQ(appender.Append(5, 20, stale, nullptr, &finished), Outcome::kAppended);
    EXPECT_EQ(appender.Append(5, 30, stale, nullptr, &finished), Outcome::kAppended);
    EXPECT_EQ(appender.Append(5, 40, Make({{0, 2}}, {5, 2}, f), nullptr, &finished), Outcome::kNewChunk);
    auto samples = Decode(appender.encoding(), finished);
    ASSERT_EQ(samples.size(), 3u);
    EXPECT_FALSE(samples.histograms[0].histogram.stale());
    EXPECT_TRUE(samples.histograms[1].histogram.stale());
    EXPECT_TRUE(samples.histograms[2].histogram.stale());
    EXPECT_TRUE(samples.histograms[2].histogram.positive_buckets.empty());
  }
}

// Counters whose buckets appear, disappear while empty, and reset; split over as many chunks as it takes.
TEST(HistogramAppender, RandomSeriesComeBackBucketByBucket) {
  std::mt19937_64 random(11);
  for (int round = 0; round < 300; ++round) {
    static constexpr Encoding kEncodings[] = {Encoding::kHistogram, Encoding::kFloatHistogram, Encoding::kHistogramSt,
                                              Encoding::kFloatHistogramSt};
    Encoding encoding = kEncodings[round % 4];
    bool f = IsFloatHistogram(encoding), gauge = round % 8 >= 4;
    double scale = f ? 0.25 : 1;
    HistogramAppender appender(encoding);
    std::vector<Histogram> given;
    Samples got;
    std::string finished;
    std::vector<double> counts(12);
    for (int i = 0; i < 150; ++i) {
      for (auto& c : counts) {
        if (random() % 4 == 0) c += static_cast<double>(random() % 1000) * scale;
        if (gauge && random() % 8 == 0) c = 0;
      }
      if (!gauge && random() % 40 == 0) std::fill(counts.begin(), counts.end(), 0);
      Histogram h;
      for (size_t b = 0; b < counts.size(); ++b) {
        if (counts[b] == 0 && random() % 2) continue;  // empty buckets are there or not
        h.positive_spans.push_back({h.positive_spans.empty() ? static_cast<int32_t>(b) - 5 : 0, 1});
        h.positive_buckets.push_back(counts[b]);
        if (h.positive_spans.size() > 1) {
          int64_t last = 0;
          for (size_t s = 0; s + 1 < h.positive_spans.size(); ++s) last += h.positive_spans[s].offset + 1;
          h.positive_spans.back().offset = static_cast<int32_t>(static_cast<int64_t>(b) - 5 - last);
        }
      }
      h.negative_spans = h.positive_spans;
      h.negative_buckets = h.positive_buckets;
      h.is_float = f;
      h.schema = 1;
      for (double c : counts) h.count += 2 * c;
      h.sum = static_cast<double>(i) / 3;
      if (gauge) h.reset_hint = ResetHint::kGauge;
      if (appender.Append(i * 3, 10 * i, h, nullptr, &finished) == Outcome::kNewChunk) {
        ASSERT_TRUE(DecodeChunk({encoding, finished}, &got).ok());
      }
      given.push_back(h);
    }
    ASSERT_TRUE(DecodeChunk({encoding, appender.bytes()}, &got).ok());
    ASSERT_EQ(got.size(), given.size());
    for (size_t i = 0; i < given.size(); ++i) {
      const Histogram& h = got.histograms[i].histogram;
      ASSERT_EQ(h.count, given[i].count);
      ASSERT_EQ(h.sum, given[i].sum);
      ASSERT_EQ(h.positive_buckets, h.negative_buckets);
      for (int64_t b = -6; b < 9; ++b) ASSERT_EQ(At(h, b), At(given[i], b)) << "round " << round << " sample " << i;
      if (HasStartTimes(encoding)) {
        ASSERT_EQ(got.start_times_ms[i], static_cast<int64_t>(i) * 3);
      }
    }
  }
}

TEST(BucketLayout, HigherSchemasAreLowered) {
  Histogram h;
  h.schema = 10;  // four buckets of it make one of schema 8
  h.positive_spans = {{1, 6}};
  h.positive_buckets = {1, 2, 3, 4, 5, 6};
  ReduceToKnownSchema(&h);
  EXPECT_EQ(h.schema, 8);
  EXPECT_EQ(h.positive_spans, (std::vector<HistogramSpan>{{1, 2}}));
  EXPECT_EQ(h.positive_buckets, (std::vector<double>{10, 11}));
}

TEST(BucketLayout, CursorPassesEmptySpans) {
  std::vector<HistogramSpan> spans = {{3, 0}, {2, 2}, {1, 0}, {0, 0}, {2, 1}};
  std::vector<int64_t> indices;
  for (BucketCursor c(spans); c.valid(); c.Next()) indices.push_back(c.index());
  EXPECT_EQ(indices, (std::vector<int64_t>{5, 6, 10}));
}

}  // namespace
}  // namespace gauntlet::tsdb
