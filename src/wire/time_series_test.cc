#include "wire/time_series.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "io/compress.h"
#include "proto/prometheus/remote.pb.h"
#include "wire/testing/golden_storeapi.h"

namespace gauntlet::wire {
namespace {

Samples Floats(std::vector<int64_t> times, std::vector<double> values) {
  Samples samples;
  samples.times_ms = std::move(times);
  samples.values = std::move(values);
  return samples;
}

Histogram IntegerHistogram() {
  Histogram h;
  h.is_float = false;
  h.reset_hint = ResetHint::kNotReset;
  h.schema = 3;
  h.zero_threshold = 1e-128;
  h.zero_count = 4;
  h.count = 21;
  h.sum = 18.5;
  h.positive_spans = {{-2, 2}, {3, 1}};
  h.positive_buckets = {5, 2, 7};
  h.negative_spans = {{1, 1}};
  h.negative_buckets = {3};
  return h;
}

Histogram CustomFloatHistogram() {
  Histogram h;
  h.reset_hint = ResetHint::kGauge;
  h.schema = kCustomBucketsSchema;
  h.count = 3.5;
  h.sum = -1;
  h.positive_spans = {{0, 2}};
  h.positive_buckets = {1.5, 2};
  h.custom_values = {0.5, 2.5};
  return h;
}

void ExpectSame(const Histogram& a, const Histogram& b) {
  EXPECT_EQ(a.is_float, b.is_float);
  EXPECT_EQ(a.reset_hint, b.reset_hint);
  EXPECT_EQ(a.schema, b.schema);
  EXPECT_EQ(a.zero_threshold, b.zero_threshold);
  EXPECT_EQ(a.zero_count, b.zero_count);
  EXPECT_EQ(a.count, b.count);
  EXPECT_EQ(a.sum, b.sum);
  EXPECT_EQ(a.positive_spans, b.positive_spans);
  EXPECT_EQ(a.negative_spans, b.negative_spans);
  EXPECT_EQ(a.positive_buckets, b.positive_buckets);
  EXPECT_EQ(a.negative_buckets, b.negative_buckets);
  EXPECT_EQ(a.custom_values, b.custom_values);
}

void ExpectSame(const Samples& a, const Samples& b) {
  EXPECT_EQ(a.times_ms, b.times_ms);
  ASSERT_EQ(a.values.size(), b.values.size());
  EXPECT_EQ(std::memcmp(a.values.data(), b.values.data(), a.values.size() * 8), 0);  // NaN bits as well
  ASSERT_EQ(a.histograms.size(), b.histograms.size());
  for (size_t i = 0; i < a.histograms.size(); ++i) {
    EXPECT_EQ(a.histograms[i].position, b.histograms[i].position);
    ExpectSame(a.histograms[i].histogram, b.histograms[i].histogram);
  }
}

// What AppendTimeSeries wrote as field 1 of a WriteRequest, by protobuf.
prometheus_copy::TimeSeries Written(LabelsView labels, const Samples& samples) {
  std::string bytes;
  AppendTimeSeries(bytes, 1, labels, samples);
  prometheus::WriteRequest request;
  EXPECT_TRUE(request.ParseFromString(bytes));
  EXPECT_EQ(request.timeseries_size(), 1);
  EXPECT_EQ(request.SerializeAsString(), bytes);
  return request.timeseries_size() == 1 ? request.timeseries(0) : prometheus_copy::TimeSeries();
}

const Labels kLabels = Labels::From({{"__name__", "up"}, {"job", "node"}});

TEST(TimeSeries, FloatsComeBackBitForBit) {
  Samples samples = Floats({-5, 0, 1767571200000, std::numeric_limits<int64_t>::max()},
                           {0.0, -0.0, StaleNaN(), -std::numeric_limits<double>::infinity()});
  prometheus_copy::TimeSeries judge = Written(kLabels, samples);
  EXPECT_EQ(judge.samples_size(), 4);
  EXPECT_EQ(judge.samples(2).timestamp(), 1767571200000);
  TimeSeriesReader reader;
  Samples back;
  ASSERT_TRUE(reader.Read(judge.SerializeAsString(), &back).ok());
  EXPECT_EQ(reader.labels(), kLabels.view());
  ExpectSame(back, samples);
}

TEST(TimeSeries, HistogramsStandAmongFloatsByTime) {
  Samples samples = Floats({1, 2, 3, 4}, {1, 0, 0, 4});
  samples.histograms = {{1, IntegerHistogram()}, {2, CustomFloatHistogram()}};
  prometheus_copy::TimeSeries judge = Written(kLabels, samples);
  ASSERT_EQ(judge.histograms_size(), 2);
  EXPECT_EQ(judge.histograms(0).count_int(), 21u);
  EXPECT_EQ(
      std::vector<int64_t>(judge.histograms(0).positive_deltas().begin(), judge.histograms(0).positive_deltas().end()),
      (std::vector<int64_t>{5, -3, 5}));
  EXPECT_EQ(judge.histograms(1).schema(), -53);
  TimeSeriesReader reader;
  Samples back;
  ASSERT_TRUE(reader.Read(judge.SerializeAsString(), &back).ok());
  ExpectSame(back, samples);
}

TEST(TimeSeries, HistogramBeforeAndAfterAllFloats) {
  Samples samples = Floats({1, 2, 3}, {0, 2, 0});
  samples.histograms = {{0, IntegerHistogram()}, {2, IntegerHistogram()}};
  std::string bytes = Written(kLabels, samples).SerializeAsString();
  TimeSeriesReader reader;
  Samples back;
  ASSERT_TRUE(reader.Read(bytes, &back).ok());
  ExpectSame(back, samples);
}

TEST(TimeSeries, AtOneTimeTheFloatStays) {
  prometheus_copy::TimeSeries series;
  for (int64_t t : {10, 20}) {
    auto* sample = series.add_samples();
    sample->set_timestamp(t);
    sample->set_value(static_cast<double>(t));
    auto* h = series.add_histograms();
    h->set_timestamp(t + (t == 20 ? 5 : 0));
    h->set_count_int(1);
  }
  TimeSeriesReader reader;
  Samples back;
  ASSERT_TRUE(reader.Read(series.SerializeAsString(), &back).ok());
  EXPECT_EQ(back.times_ms, (std::vector<int64_t>{10, 20, 25}));
  ASSERT_EQ(back.histograms.size(), 1u);
  EXPECT_EQ(back.histograms[0].position, 2u);
}

TEST(TimeSeries, TimesThatDoNotAscendAreCorrupt) {
  for (bool histograms : {false, true}) {
    prometheus_copy::TimeSeries series;
    for (int64_t t : {10, 10}) {
      if (histograms) {
        auto* h = series.add_histograms();
        h->set_timestamp(t);
        h->set_count_int(1);
      } else {
        series.add_samples()->set_timestamp(t);
      }
    }
    TimeSeriesReader reader;
    Samples back;
    EXPECT_EQ(reader.Read(series.SerializeAsString(), &back).code(), Code::kCorrupt) << histograms;
  }
}

TEST(TimeSeries, BucketsThatDoNotFitTheirSpansAreCorrupt) {
  prometheus_copy::TimeSeries series;
  auto* h = series.add_histograms();
  h->set_count_int(1);
  h->add_positive_spans()->set_length(3);
  h->add_positive_deltas(1);
  TimeSeriesReader reader;
  Samples back;
  EXPECT_EQ(reader.Read(series.SerializeAsString(), &back).code(), Code::kCorrupt);
}

TEST(TimeSeries, NumbersThatAreNotPackedAreRead) {
  // positive_spans {0, 2}; positive_deltas 3 and -1, one field each; count_int 5.
  std::string histogram("\x08\x05\x5a\x02\x10\x02\x60\x06\x60\x01\x78\x07", 12);
  Histogram h;
  int64_t time_ms;
  ASSERT_TRUE(ReadHistogram(histogram, &h, &time_ms).ok());
  EXPECT_EQ(h.positive_buckets, (std::vector<double>{3, 2}));
  EXPECT_EQ(time_ms, 7);
}

TEST(TimeSeries, TruncationAtEveryByteAgreesWithProtobuf) {
  Samples samples = Floats({1, 2, 3, 4}, {1, 0, 0, 4});
  samples.histograms = {{1, IntegerHistogram()}, {2, CustomFloatHistogram()}};
  std::string whole = Written(kLabels, samples).SerializeAsString();
  for (size_t cut = 0; cut < whole.size(); ++cut) {
    std::string bytes = whole.substr(0, cut);
    bytes.shrink_to_fit();
    prometheus_copy::TimeSeries judge;
    TimeSeriesReader reader;
    Samples back;
    EXPECT_EQ(reader.Read(bytes, &back).ok(), judge.ParseFromString(bytes)) << cut;
  }
}

// What a real server sent: read, and written again as the same bytes but for the exemplars.
TEST(TimeSeries, RecordedRemoteWritesComeBackAsTheSameBytes) {
  std::filesystem::path folder = SharedData();
  if (folder.empty()) GTEST_SKIP() << "no golden data: set GAUNTLET_SHARED";
  int series = 0, histograms = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder / "golden/remote-write")) {
    std::string name = entry.path().filename().string();
    if (!name.starts_with("rw1-") || !name.ends_with(".snappy")) continue;
    auto body = io::SnappyDecompress(FileBytes(entry.path()), 1 << 26);
    ASSERT_TRUE(body.ok()) << name;
    prometheus::WriteRequest request;
    ASSERT_TRUE(request.ParseFromString(*body)) << name;
    for (auto& message : *request.mutable_timeseries()) {
      message.clear_exemplars();
      std::string bytes = message.SerializeAsString(), again;
      TimeSeriesReader reader;
      Samples samples;
      Status read = reader.Read(bytes, &samples);
      ASSERT_TRUE(read.ok()) << name << ": " << read.message();
      EXPECT_EQ(samples.histograms.size(), static_cast<size_t>(message.histograms_size()));
      AppendTimeSeries(again, 1, reader.labels(), samples);
      ASSERT_TRUE(again.ends_with(bytes)) << name << "\n" << message.ShortDebugString();
      ++series;
      histograms += message.histograms_size();
    }
  }
  EXPECT_GT(series, 100);
  EXPECT_GT(histograms, 0);
}

TEST(ReadResponse, GivesTheSeriesOfOneQuery) {
  prometheus::ReadResponse response;
  for (int query = 0; query < 2; ++query) {
    auto* result = response.add_results();
    for (int i = 0; i <= query; ++i) result->add_timeseries()->add_samples()->set_timestamp(10 * query + i + 1);
  }
  std::string bytes = response.SerializeAsString();
  for (size_t query = 0; query < 3; ++query) {
    auto series = ReadResponseSeries(bytes, query);
    ASSERT_TRUE(series.ok());
    ASSERT_EQ(series->size(), query == 2 ? 0 : query + 1);
    if (query == 1) {
      EXPECT_EQ((*series)[1], response.results(1).timeseries(1).SerializeAsString());
    }
  }
  EXPECT_EQ(ReadResponseSeries(bytes.substr(0, bytes.size() - 1)).status().code(), Code::kCorrupt);
}

}  // namespace
}  // namespace gauntlet::wire
