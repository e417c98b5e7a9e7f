#include "downsample/series_downsampler.h"

#include <gtest/gtest.h>

#include <cmath>
#include <deque>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "downsample/chunk_reader.h"
#include "downsample/windows.h"
#include "model/stale.h"
#include "tsdb/block/block.h"
#include "tsdb/chunkenc/testing/golden_chunks.h"
#include "tsdb/chunkenc/xor.h"
#include "tsdb/chunkenc/xor2.h"

namespace gauntlet::downsample {
namespace {

using tsdb::Aggregate;
using tsdb::EncodedChunk;
using Points = std::vector<std::pair<int64_t, double>>;

constexpr int64_t kMinute = 60'000;

// Source chunks with their bytes.
class Source {
 public:
  void Add(EncodedChunk chunk) { chunks_.push_back(std::move(chunk)); }
  void AddSamples(const Samples& samples, size_t per_chunk = 120) {
    std::vector<EncodedChunk> made;
    tsdb::EncodeSamples(samples, per_chunk, &made);
    for (auto& chunk : made) Add(std::move(chunk));
  }
  void AddPoints(const Points& points, size_t per_chunk = 120) {
    Samples samples;
    for (auto [t, v] : points) {
      samples.times_ms.push_back(t);
      samples.values.push_back(v);
    }
    AddSamples(samples, per_chunk);
  }
  std::vector<TimedChunk> views() const {
    std::vector<TimedChunk> views;
    for (const auto& chunk : chunks_) views.push_back({chunk.mint_ms, chunk.maxt_ms, chunk.view()});
    return views;
  }
  std::vector<tsdb::SeriesChunk> Readable() const {
    std::vector<tsdb::SeriesChunk> list;
    for (const auto& chunk : chunks_) {
      list.push_back({chunk.mint_ms, chunk.maxt_ms, {}, {}});
      if (chunk.encoding == tsdb::Encoding::kAggregate) {
        list.back().aggregates = *tsdb::ParseAggrChunk(chunk.bytes);
      } else {
        list.back().raw = chunk.view();
      }
    }
    return list;
  }
  size_t size() const { return chunks_.size(); }

 private:
  std::deque<EncodedChunk> chunks_;
};

Source Downsampled(const Source& from, int64_t from_ms, int64_t to_ms) {
  std::vector<EncodedChunk> made;
  Status status = SeriesDownsampler(from_ms, to_ms).Downsample(from.views(), &made);
  EXPECT_TRUE(status.ok()) << status.message();
  Source out;
  for (auto& chunk : made) out.Add(std::move(chunk));
  return out;
}

Samples ReadAll(const Source& source, Reading reading) {
  Samples samples;
  Status status = ChunkReader(reading).Read(source.Readable(), INT64_MIN, INT64_MAX, &samples);
  EXPECT_TRUE(status.ok()) << status.message();
  return samples;
}

Points ToPoints(const Samples& samples) {
  Points points;
  for (size_t i = 0; i < samples.size(); ++i) points.push_back({samples.times_ms[i], samples.values[i]});
  return points;
}

Points Part(const EncodedChunk& chunk, Aggregate part) {
  Samples samples;
  EXPECT_TRUE(tsdb::DecodeChunk((*tsdb::ParseAggrChunk(chunk.bytes))[part], &samples).ok());
  return ToPoints(samples);
}

Histogram Counted(double count, int32_t schema = 0, ResetHint hint = ResetHint::kUnknown) {
  Histogram h;
  h.is_float = false;
  h.reset_hint = hint;
  h.schema = schema;
  h.count = count;
  h.sum = 2 * count;
  h.positive_spans = {{0, 2}};
  h.positive_buckets = {count - 1, 1};
  if (schema == kCustomBucketsSchema) h.custom_values = {1, 2, 3};
  return h;
}

void AppendHistogram(int64_t t, Histogram h, Samples* samples) {
  samples->histograms.push_back({static_cast<uint32_t>(samples->size()), std::move(h)});
  samples->times_ms.push_back(t);
  samples->values.push_back(0);
}

TEST(WindowEnd, IsTheLastMillisecondBeforeTheNextWindow) {
  EXPECT_EQ(WindowEnd(0, 100), 99);
  EXPECT_EQ(WindowEnd(99, 100), 99);
  EXPECT_EQ(WindowEnd(100, 100), 199);
  EXPECT_EQ(WindowEnd(-1, 100), -1);
  EXPECT_EQ(WindowEnd(-100, 100), -1);
  EXPECT_EQ(WindowEnd(INT64_MAX, 300'000), INT64_MAX);
}

TEST(TargetChunks, HoldAboutAHundredAndFortyWindows) {
  auto chunks = [](int64_t windows, size_t samples) {
    return TargetChunks(0, windows * kFiveMinutesMs, kRawIntervalMs, kFiveMinutesMs, samples);
  };
  EXPECT_EQ(chunks(139, 1'000'000), 1u);
  EXPECT_EQ(chunks(140, 1'000'000), 2u);  // one more may begin at the end
  EXPECT_EQ(chunks(1400, 1'000'000), 10u);
  EXPECT_EQ(chunks(1400, 690), 1u);  // sparse: a tenth of a sample a minute
  EXPECT_EQ(chunks(0, 1), 1u);
  EXPECT_EQ(TargetChunks(INT64_MIN, INT64_MAX, kRawIntervalMs, kFiveMinutesMs, 1), 1u);
}

TEST(SeriesDownsampler, WindowsHoldAllAggregates) {
  Source raw;
  raw.AddPoints({{0, 1}, {50, 5}, {99, 3}, {100, 7}, {150, StaleNaN()}, {199, NAN}, {201, 2}, {205, 4}});
  std::vector<EncodedChunk> made;
  ASSERT_TRUE(SeriesDownsampler(0, 100).Downsample(raw.views(), &made).ok());
  ASSERT_EQ(made.size(), 1u);
  EXPECT_EQ(made[0].mint_ms, 99);
  EXPECT_EQ(made[0].maxt_ms, 205);
  EXPECT_EQ(Part(made[0], Aggregate::kCount), (Points{{99, 3}, {199, 1}, {205, 2}}));
  EXPECT_EQ(Part(made[0], Aggregate::kSum), (Points{{99, 9}, {199, 7}, {205, 6}}));
  EXPECT_EQ(Part(made[0], Aggregate::kMin), (Points{{99, 1}, {199, 7}, {205, 2}}));
  EXPECT_EQ(Part(made[0], Aggregate::kMax), (Points{{99, 5}, {199, 7}, {205, 4}}));
  // First raw value; 1 -> 5 -> 3 (a reset) -> 7 -> 2 (a reset) -> 4; last raw value.
  EXPECT_EQ(Part(made[0], Aggregate::kCounter), (Points{{0, 1}, {99, 8}, {199, 12}, {205, 16}, {205, 4}}));
}

TEST(SeriesDownsampler, ASeriesOfNoNumbersVanishes) {
  Source raw;
  raw.AddPoints({{0, NAN}, {50, StaleNaN()}, {1000, NAN}});
  EXPECT_EQ(Downsampled(raw, 0, 100).size(), 0u);
  EXPECT_EQ(Downsampled(Source(), 0, 100).size(), 0u);
  EXPECT_EQ(Downsampled(Source(), kFiveMinutesMs, kHourMs).size(), 0u);
}

TEST(SeriesDownsampler, OverlappingChunksAreRefused) {
  Source raw;
  raw.AddPoints({{0, 1}, {100, 2}});
  raw.AddPoints({{100, 2}, {200, 3}});
  std::vector<EncodedChunk> made;
  EXPECT_EQ(SeriesDownsampler(0, 50).Downsample(raw.views(), &made).code(), Code::kCorrupt);
  EXPECT_EQ(SeriesDownsampler(50, 100).Downsample(raw.views(), &made).code(), Code::kCorrupt);
}

TEST(SeriesDownsampler, Xor2ChunksAreRead) {
  tsdb::Xor2Appender appender;
  appender.Append(0, 10, 1);
  appender.Append(0, 20, 3);
  Source raw;
  raw.Add({tsdb::Encoding::kXor2, appender.Release(), 10, 20});
  EXPECT_EQ(ToPoints(ReadAll(Downsampled(raw, 0, 100), Reading::kSum)), (Points{{20, 4}}));
}

TEST(SeriesDownsampler, FloatsAndHistogramsOfOneSeriesGetChunksOfTheirOwn) {
  Samples samples;
  for (int i = 0; i < 40; ++i) {
    int64_t t = i * kMinute;
    if (i / 10 % 2 == 0) {
      samples.times_ms.push_back(t);
      samples.values.push_back(i);
    } else {
      AppendHistogram(t, Counted(i), &samples);
    }
  }
  Source raw;
  raw.AddSamples(samples);
  Source five = Downsampled(raw, 0, kFiveMinutesMs);
  EXPECT_EQ(five.size(), 4u);
  auto ten = [](int64_t end) { return Points{{end - 5 * kMinute - 1, 5}, {end - kMinute, 5}}; };
  Points expected;
  for (int64_t end : {10, 20, 30, 40}) {
    for (auto point : ten(end * kMinute)) expected.push_back(point);
  }
  EXPECT_EQ(ToPoints(ReadAll(five, Reading::kCount)), expected);
  Samples counters = ReadAll(five, Reading::kCounter);
  ASSERT_EQ(counters.histograms.size(), 4u);
  EXPECT_EQ(counters.histograms.back().histogram.count, 39);
  EXPECT_EQ(counters.values[7], 29);  // behind two windows, two histograms, and two first raw values

  Source hour = Downsampled(five, kFiveMinutesMs, kHourMs);
  EXPECT_EQ(hour.size(), 4u);
  EXPECT_EQ(ToPoints(ReadAll(hour, Reading::kCount)),
            (Points{{9 * kMinute, 10}, {19 * kMinute, 10}, {29 * kMinute, 10}, {39 * kMinute, 10}}));
  counters = ReadAll(hour, Reading::kCounter);
  ASSERT_EQ(counters.histograms.size(), 2u);
  EXPECT_EQ(counters.histograms[0].histogram.sum, 2 * 19);
}

TEST(SeriesDownsampler, ExponentialAndCustomBucketsGetChunksOfTheirOwn) {
  Samples samples;
  for (int i = 1; i <= 30; ++i) {
    AppendHistogram(i * kMinute, Counted(i, i > 10 && i <= 20 ? kCustomBucketsSchema : 3), &samples);
  }
  Source raw;
  raw.AddSamples(samples);
  Source five = Downsampled(raw, 0, kFiveMinutesMs), hour = Downsampled(five, kFiveMinutesMs, kHourMs);
  EXPECT_EQ(hour.size(), 3u);
  Samples counters = ReadAll(hour, Reading::kCounter);
  ASSERT_EQ(counters.histograms.size(), 3u);
  for (int i = 0; i < 3; ++i) {
    const Histogram& h = counters.histograms[i].histogram;
    EXPECT_EQ(h.count, 10 * (i + 1));
    EXPECT_EQ(h.schema, i == 1 ? kCustomBucketsSchema : 3);
  }
  EXPECT_EQ(ToPoints(ReadAll(hour, Reading::kCount)),
            (Points{{10 * kMinute, 10}, {20 * kMinute, 10}, {30 * kMinute, 10}}));
}

// The real one panics on this block.
TEST(SeriesDownsampler, TheRecordedMixOfBucketsKeepsAllItsSamples) {
  if (tsdb::GoldenFolder().empty()) GTEST_SKIP() << "no shared golden data";
  auto block =
      tsdb::Block::Open(io::RealFileSystem(), tsdb::GoldenFolder() + "/downsample/hist-nhcb-exponential-mix/raw");
  ASSERT_TRUE(block.ok());
  auto ids = (*block)->Select({}, Cancel());
  tsdb::BlockSeries series(**block, std::move(*ids), INT64_MIN, INT64_MAX);
  size_t mixed = 0;
  while (*series.Next()) {
    Source raw;
    for (const auto& meta : series.chunks()) {
      auto chunk = *(*block)->chunks().Read(meta.ref);
      raw.Add({chunk.encoding, std::string(chunk.bytes), meta.mint_ms, meta.maxt_ms});
    }
    Samples samples = ReadAll(raw, Reading::kAverage);
    double expected = 0, sum = 0;
    for (size_t i = 0; i < samples.size(); ++i) expected += std::isnan(samples.values[i]) ? 0 : 1;
    for (const auto& h : samples.histograms) {
      if (std::isnan(h.histogram.sum))
        --expected;
      else
        sum += h.histogram.sum;
    }
    Source five = Downsampled(raw, 0, kFiveMinutesMs), hour = Downsampled(five, kFiveMinutesMs, kHourMs);
    for (const Source& made : {five, hour}) {
      double counted = 0, summed = 0;
      for (auto [t, count] : ToPoints(ReadAll(made, Reading::kCount))) counted += count;
      EXPECT_EQ(counted, expected);
      int custom = 0, exponential = 0;
      Samples sums = ReadAll(made, Reading::kSum);
      for (const auto& h : sums.histograms) {
        summed += h.histogram.sum;
        ++(h.histogram.uses_custom_buckets() ? custom : exponential);
      }
      EXPECT_NEAR(summed, sum, 1e-9 * std::fabs(sum));
      if (custom > 0 && exponential > 0) ++mixed;
    }
  }
  EXPECT_EQ(mixed, 2u);
}

TEST(SeriesDownsampler, NoWindowIsLostWhenTheZeroBucketGrows) {
  Samples samples;
  for (int i = 1; i <= 60; ++i) {
    Histogram h = Counted(i);
    h.zero_threshold = i <= 30 ? 0.001 : 0.01;
    AppendHistogram(i * kMinute, h, &samples);
  }
  Source raw;
  raw.AddSamples(samples);
  Source five = Downsampled(raw, 0, kFiveMinutesMs);
  for (Reading reading : {Reading::kCount, Reading::kSum, Reading::kCounter}) {
    EXPECT_EQ(ReadAll(five, reading).size(), 13u) << static_cast<int>(reading);
  }
  Samples counters = ReadAll(five, Reading::kCounter);
  for (size_t i = 1; i < counters.histograms.size(); ++i) {
    EXPECT_FALSE(DetectReset(counters.histograms[i].histogram, counters.histograms[i - 1].histogram)) << i;
  }
  EXPECT_EQ(counters.histograms.back().histogram.count, 60);
}

TEST(SeriesDownsampler, RawChunksAmongAggregatesAreAggregated) {
  Source raw;
  Points points;
  for (int i = 0; i < 120; ++i) points.push_back({i * kMinute, i});
  raw.AddPoints(points);
  Source mixed;
  std::vector<EncodedChunk> made;
  ASSERT_TRUE(SeriesDownsampler(0, kFiveMinutesMs).Downsample(raw.views(), &made).ok());
  for (auto& chunk : made) mixed.Add(std::move(chunk));
  mixed.Add({tsdb::Encoding::kXor, std::string(2, '\0'), 120 * kMinute, 120 * kMinute});  // empty
  points.clear();
  for (int i = 121; i < 180; ++i) points.push_back({i * kMinute, i});
  mixed.AddPoints(points);
  Source hour = Downsampled(mixed, kFiveMinutesMs, kHourMs);
  EXPECT_EQ(ToPoints(ReadAll(hour, Reading::kCount)),
            (Points{{kHourMs - 1, 60}, {2 * kHourMs - 1, 60}, {179 * kMinute, 59}}));
  EXPECT_EQ(ToPoints(ReadAll(hour, Reading::kMax)).back().second, 179);
  EXPECT_EQ(ToPoints(ReadAll(hour, Reading::kCounter)).back().second, 179);
}

TEST(SeriesDownsampler, CutChunksGiveAnErrorOrSomeChunks) {
  Samples samples;
  for (int i = 1; i <= 50; ++i) AppendHistogram(i * kMinute, Counted(i), &samples);
  Source histograms, floats;
  histograms.AddSamples(samples);
  Points points;
  for (int i = 0; i < 50; ++i) points.push_back({i * kMinute, i % 7});
  floats.AddPoints(points);
  size_t refused = 0;
  for (const Source& raw : {histograms, floats}) {
    Source five = Downsampled(raw, 0, kFiveMinutesMs);
    for (auto [source, from, to] : {std::tuple(&raw, int64_t{0}, kFiveMinutesMs), {&five, kFiveMinutesMs, kHourMs}}) {
      TimedChunk whole = source->views()[0];
      for (size_t n = 0; n < whole.chunk.bytes.size(); ++n) {
        TimedChunk cut = whole;
        cut.chunk.bytes = whole.chunk.bytes.substr(0, n);
        std::vector<EncodedChunk> made;
        if (!SeriesDownsampler(from, to).Downsample({&cut, 1}, &made).ok()) ++refused;
      }
    }
  }
  EXPECT_GT(refused, 100u);
}

}  // namespace
}  // namespace gauntlet::downsample
