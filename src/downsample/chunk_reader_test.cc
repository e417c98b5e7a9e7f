#include "downsample/chunk_reader.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <deque>
#include <map>
#include <string>
#include <utility>

#include "model/stale.h"
#include "tsdb/chunkenc/histogram_appender.h"
#include "tsdb/chunkenc/testing/golden_chunks.h"
#include "tsdb/chunkenc/xor.h"

namespace gauntlet::downsample {
namespace {

using tsdb::Aggregate;
using tsdb::Encoding;
using tsdb::SeriesChunk;
using Points = std::vector<std::pair<int64_t, double>>;

// Owns the bytes of the chunks of a series.
class Chunks {
 public:
  void Raw(const Points& points) { chunks_.push_back({points[0].first, points.back().first, Encode(points), {}}); }
  void Part(Aggregate aggregate, const Points& points) {
    if (chunks_.empty() || chunks_.back().aggregates.has(aggregate) || chunks_.back().has_raw()) Begin(points);
    Add(aggregate, Encode(points));
  }
  // A chunk of its own for what follows.
  void Begin(const Points& points) { chunks_.push_back({points[0].first, points.back().first, {}, {}}); }
  void Add(Aggregate aggregate, tsdb::ChunkView view) {
    chunks_.back().aggregates.parts[static_cast<size_t>(aggregate)] = view;
  }
  tsdb::ChunkView Encode(const Points& points) {
    tsdb::XorAppender appender;
    for (auto [t, v] : points) appender.Append(t, v);
    return Keep(Encoding::kXor, appender.Release());
  }
  tsdb::ChunkView Keep(Encoding encoding, std::string bytes) {
    bytes_.push_back(std::move(bytes));
    return {encoding, bytes_.back()};
  }
  std::vector<SeriesChunk>& list() { return chunks_; }

 private:
  std::deque<std::string> bytes_;
  std::vector<SeriesChunk> chunks_;
};

Points ToPoints(const Samples& samples) {
  Points points;
  for (size_t i = 0; i < samples.size(); ++i) points.push_back({samples.times_ms[i], samples.values[i]});
  return points;
}

Points Read(Chunks& chunks, Reading reading, int64_t mint = INT64_MIN, int64_t maxt = INT64_MAX) {
  Samples samples;
  Status status = ChunkReader(reading).Read(chunks.list(), mint, maxt, &samples);
  EXPECT_TRUE(status.ok()) << status.message();
  return ToPoints(samples);
}

TEST(ReadingFor, FollowsTheFunction) {
  EXPECT_EQ(ReadingFor("min"), Reading::kMin);
  EXPECT_EQ(ReadingFor("min_over_time"), Reading::kMin);
  EXPECT_EQ(ReadingFor("max_over_time"), Reading::kMax);
  EXPECT_EQ(ReadingFor("ts_of_min_over_time"), Reading::kMin);
  EXPECT_EQ(ReadingFor("ts_of_max_over_time"), Reading::kMax);
  EXPECT_EQ(ReadingFor("count"), Reading::kCount);
  EXPECT_EQ(ReadingFor("count_over_time"), Reading::kCount);
  EXPECT_EQ(ReadingFor("sum_over_time"), Reading::kSum);
  EXPECT_EQ(ReadingFor("sum"), Reading::kAverage);
  EXPECT_EQ(ReadingFor("minute"), Reading::kAverage);
  for (const char* f : {"rate", "increase", "irate", "resets", "xrate", "xincrease"}) {
    EXPECT_EQ(ReadingFor(f), Reading::kCounter) << f;
  }
  EXPECT_EQ(ReadingFor(""), Reading::kAverage);
}

TEST(ChunkReader, AveragesAreSumByCount) {
  Chunks chunks;
  chunks.Part(Aggregate::kSum, {{100, 30}, {200, 40}, {300, 5}, {400, -10}});
  chunks.Part(Aggregate::kCount, {{100, 1}, {200, 5}, {300, 2}, {400, 10}});
  chunks.Raw({{500, 7}});
  EXPECT_EQ(Read(chunks, Reading::kAverage), (Points{{100, 30}, {200, 8}, {300, 2.5}, {400, -1}, {500, 7}}));
  EXPECT_EQ(Read(chunks, Reading::kAverage, 200, 300), (Points{{200, 8}, {300, 2.5}}));
  EXPECT_EQ(Read(chunks, Reading::kSum), (Points{{100, 30}, {200, 40}, {300, 5}, {400, -10}, {500, 7}}));
  EXPECT_EQ(Read(chunks, Reading::kCount, 400), (Points{{400, 10}, {500, 7}}));
}

TEST(ChunkReader, SumAndCountOfOtherTimesAreRefused) {
  Chunks chunks;
  chunks.Part(Aggregate::kSum, {{100, 30}, {200, 40}});
  chunks.Part(Aggregate::kCount, {{100, 1}, {201, 5}});
  Samples samples;
  EXPECT_EQ(ChunkReader(Reading::kAverage).Read(chunks.list(), 0, 1000, &samples).code(), Code::kCorrupt);
}

TEST(ChunkReader, AMissingAggregateIsSaid) {
  Chunks chunks;
  chunks.Part(Aggregate::kSum, {{100, 30}});
  for (auto reading : {Reading::kAverage, Reading::kCount, Reading::kCounter}) {
    Samples samples;
    EXPECT_EQ(ChunkReader(reading).Read(chunks.list(), 0, 1000, &samples).code(), Code::kInvalid);
  }
}

TEST(ChunkReader, HistogramsHaveNoLeastAndGreatest) {
  Chunks chunks;
  chunks.Part(Aggregate::kSum, {{100, 30}});
  EXPECT_TRUE(Read(chunks, Reading::kMin).empty());
  EXPECT_TRUE(Read(chunks, Reading::kMax).empty());
}

TEST(ChunkReader, SampleCountsAddUpAcrossRawAndDownsampledChunks) {
  Chunks chunks;
  chunks.Part(Aggregate::kCount, {{100, 20}, {200, 18}});
  chunks.Raw({{300, 7}, {310, StaleNaN()}, {320, NAN}});
  auto points = Read(chunks, Reading::kSampleCounts);
  ASSERT_EQ(points.size(), 5u);
  EXPECT_TRUE(IsStaleNaN(points[3].second));
  points.erase(points.begin() + 3);
  EXPECT_EQ(points, (Points{{100, 20}, {200, 18}, {300, 1}, {320, 1}}));
  // Histograms count, too.
  Samples samples;
  Histogram h;
  h.count = 4;
  tsdb::HistogramAppender appender(Encoding::kFloatHistogram);
  std::string finished;
  appender.Append(0, 400, h, nullptr, &finished);
  chunks.Begin({{400, 0}});
  chunks.list().back().raw = chunks.Keep(Encoding::kFloatHistogram, appender.Release());
  EXPECT_EQ(Read(chunks, Reading::kSampleCounts, 400), (Points{{400, 1}}));
}

TEST(ChunkReader, OverlapsAreGivenOnce) {
  Chunks chunks;
  chunks.Raw({{1, 1}, {2, 2}, {3, 3}});
  chunks.Raw({{2, 20}, {3, 30}, {4, 4}});
  EXPECT_EQ(Read(chunks, Reading::kAverage), (Points{{1, 1}, {2, 2}, {3, 3}, {4, 4}}));
  EXPECT_EQ(Read(chunks, Reading::kCounter), (Points{{1, 1}, {2, 2}, {3, 3}, {4, 4}}));
}

// Upstream's cases of ApplyCounterResetsIterator.
TEST(ChunkReader, CounterChunksMakeARisingLine) {
  Chunks chunks;
  chunks.Part(Aggregate::kCounter, {{100, 10}, {200, 20}, {300, 10}, {400, 20}, {400, 5}});
  chunks.Part(Aggregate::kCounter, {{500, 10}, {600, 20}, {700, 30}, {800, 40}, {800, 10}});  // no reset between
  chunks.Part(Aggregate::kCounter, {{900, 5}, {1000, 10}, {1100, 15}});                       // a reset
  chunks.Part(Aggregate::kCounter, {{1200, 20}, {1250, StaleNaN()}, {1300, 40}});
  chunks.Part(Aggregate::kCounter, {{1400, 30}, {1500, 30}, {1600, 50}});  // a reset, without a last value before
  EXPECT_EQ(Read(chunks, Reading::kCounter), (Points{{100, 10},
                                                     {200, 20},
                                                     {300, 30},
                                                     {400, 40},
                                                     {500, 45},
                                                     {600, 55},
                                                     {700, 65},
                                                     {800, 75},
                                                     {900, 80},
                                                     {1000, 85},
                                                     {1100, 90},
                                                     {1200, 95},
                                                     {1300, 115},
                                                     {1400, 145},
                                                     {1500, 145},
                                                     {1600, 165}}));
  // Samples before the range count, too.
  EXPECT_EQ(Read(chunks, Reading::kCounter, 650, 900), (Points{{700, 65}, {800, 75}, {900, 80}}));
  auto copies = chunks.list();
  for (const auto& chunk : copies) chunks.list().push_back(chunk);
  std::stable_sort(chunks.list().begin(), chunks.list().end(),
                   [](const auto& a, const auto& b) { return a.mint_ms < b.mint_ms; });
  EXPECT_EQ(Read(chunks, Reading::kCounter).back(), (std::pair<int64_t, double>(1600, 165)));
}

TEST(ChunkReader, RawSamplesOfCountersPassUnaltered) {
  Chunks chunks;
  chunks.Raw({{100, 10}, {200, 20}, {300, 5}, {400, StaleNaN()}, {500, 7}});
  auto points = Read(chunks, Reading::kCounter);
  ASSERT_EQ(points.size(), 5u);
  EXPECT_EQ(points[2], (std::pair<int64_t, double>(300, 5)));
  EXPECT_TRUE(IsStaleNaN(points[3].second));
}

TEST(ChunkReader, RawSamplesOfCountersAreCorrectedOnDemand) {
  Chunks chunks;
  chunks.Raw({{100, 10}, {200, 20}, {300, 5}, {400, StaleNaN()}, {500, 7}});
  chunks.Raw({{500, 7}, {600, 1}});
  Samples samples;
  ASSERT_TRUE(ChunkReader(Reading::kCounter, RawCounters::kCorrected).Read(chunks.list(), 150, 1000, &samples).ok());
  EXPECT_EQ(ToPoints(samples), (Points{{200, 20}, {300, 25}, {500, 27}, {600, 28}}));
}

TEST(ChunkReader, TheLineEndsAtTheRawValueThatFollows) {
  Chunks chunks;
  chunks.Part(Aggregate::kCounter, {{100, 10}, {200, 20}, {300, 30}, {300, 8}});  // a reset hid 22
  chunks.Part(Aggregate::kCounter, {{400, 9}, {500, 12}, {500, 12}});
  chunks.Raw({{600, 15}, {700, 1}, {800, 2}});
  EXPECT_EQ(Read(chunks, Reading::kCounter),
            (Points{{100, -12}, {200, -2}, {300, 8}, {400, 9}, {500, 12}, {600, 15}, {700, 1}, {800, 2}}));
}

TEST(ChunkReader, BetweenRawSamplesTheLineFallsOnce) {
  Chunks chunks;
  chunks.Raw({{50, 90}});
  chunks.Part(Aggregate::kCounter, {{100, 100}, {200, 120}, {300, 126}, {400, 140}, {400, 15}});
  chunks.Raw({{500, 16}});
  EXPECT_EQ(Read(chunks, Reading::kCounter),
            (Points{{50, 90}, {100, 100}, {200, 120}, {300, 1}, {400, 15}, {500, 16}}));
}

// ---- what the real downsampling wrote

struct GoldenSeries {
  Chunks chunks;
  std::map<std::string, Points> parts;  // all samples of an aggregate, one chunk after the other
};

// The aggregate chunks of `file`, encoded again from their text, by series.
std::map<std::string, GoldenSeries> LoadAggregates(const std::string& file) {
  std::map<std::string, GoldenSeries> all;
  GoldenSeries* series = nullptr;
  std::string name;
  Samples samples;
  Encoding encoding = Encoding::kNone;
  auto flush = [&] {
    if (samples.size() > 0) {
      static const std::map<std::string, Aggregate> kNames = {{"count", Aggregate::kCount},
                                                              {"sum", Aggregate::kSum},
                                                              {"min", Aggregate::kMin},
                                                              {"max", Aggregate::kMax},
                                                              {"counter", Aggregate::kCounter}};
      tsdb::HistogramAppender histograms(Encoding::kFloatHistogram);
      tsdb::XorAppender floats;
      std::string finished;
      auto h = samples.histograms.begin();
      for (size_t i = 0; i < samples.size(); ++i) {
        if (encoding == Encoding::kXor) {
          floats.Append(samples.times_ms[i], samples.values[i]);
        } else {
          histograms.Append(0, samples.times_ms[i], (h++)->histogram, nullptr, &finished);
        }
      }
      auto bytes = encoding == Encoding::kXor ? floats.Release() : histograms.Release();
      series->chunks.Add(kNames.at(name), series->chunks.Keep(encoding, bytes));
      auto& points = series->parts[name];
      for (auto point : ToPoints(samples)) points.push_back(point);
    }
    samples.Clear();
  };
  for (const auto& line : tsdb::GoldenLines(file)) {
    if (line.starts_with("series ")) {
      flush();
      series = &all[line.substr(line.find('{'))];
    } else if (line.starts_with("chunk ")) {
      flush();
      series->chunks.list().push_back({std::atoll(line.c_str() + line.find("mint=") + 5),
                                       std::atoll(line.c_str() + line.find("maxt=") + 5),
                                       {},
                                       {}});
    } else if (line.starts_with("aggr ")) {
      flush();
      name = line.substr(5, line.find(' ', 5) - 5);
      encoding = line.find("encoding=XOR") != line.npos ? Encoding::kXor : Encoding::kFloatHistogram;
    } else {
      tsdb::AppendSampleText(line, &samples);
    }
  }
  flush();
  return all;
}

TEST(ChunkReader, GoldenAggregatesReadBack) {
  for (const char* file : {"downsample/floats/5m.aggr.txt.gz", "downsample/floats/1h.aggr.txt.gz"}) {
    auto all = LoadAggregates(file);
    if (all.empty()) GTEST_SKIP() << "no shared golden data";
    for (auto& [labels, series] : all) {
      EXPECT_EQ(Read(series.chunks, Reading::kCount), series.parts["count"]) << labels;
      auto averages = Read(series.chunks, Reading::kAverage);
      ASSERT_EQ(averages.size(), series.parts["count"].size());
      for (size_t i = 0; i < averages.size(); ++i) {
        double expected = series.parts["sum"][i].second / series.parts["count"][i].second;
        EXPECT_TRUE(averages[i].second == expected || (std::isnan(expected) && std::isnan(averages[i].second)));
      }
    }
  }
}

// What a counter counted by its raw samples, as PromQL sees it.
double Increase(const Points& points) {
  double increase = 0;
  for (size_t i = 1; i < points.size(); ++i) {
    double step = points[i].second - points[i - 1].second;
    increase += step < 0 ? points[i].second : step;
  }
  return increase;
}

TEST(ChunkReader, GoldenCountersIncreaseAsTheirRawSamples) {
  std::map<std::string, Points> raw;
  Points* current = nullptr;
  for (const auto& line : tsdb::GoldenLines("downsample/floats/raw.samples.txt.gz")) {
    if (line.starts_with("series ")) {
      current = &raw[line.substr(line.find('{'))];
      continue;
    }
    Samples sample;
    tsdb::AppendSampleText(line, &sample);
    if (!std::isnan(sample.values[0])) current->push_back({sample.times_ms[0], sample.values[0]});
  }
  if (raw.empty()) GTEST_SKIP() << "no shared golden data";
  int checked = 0;
  for (const char* file : {"downsample/floats/5m.aggr.txt.gz", "downsample/floats/1h.aggr.txt.gz"}) {
    for (auto& [labels, series] : LoadAggregates(file)) {
      if (labels.find("_total") == labels.npos) continue;
      auto points = Read(series.chunks, Reading::kCounter);
      double expected = Increase(raw[labels]);
      EXPECT_NEAR(Increase(points), expected, 1e-9 * expected) << labels << " " << file;
      ++checked;
    }
  }
  EXPECT_EQ(checked, 20);
}

TEST(ChunkReader, GoldenHistogramsAverageAndCount) {
  auto all = LoadAggregates("downsample/hist-counter-int/5m.aggr.txt.gz");
  if (all.empty()) GTEST_SKIP() << "no shared golden data";
  for (auto& [labels, series] : all) {
    Samples sums, averages, counters;
    ASSERT_TRUE(ChunkReader(Reading::kSum).Read(series.chunks.list(), 0, INT64_MAX, &sums).ok());
    ASSERT_TRUE(ChunkReader(Reading::kAverage).Read(series.chunks.list(), 0, INT64_MAX, &averages).ok());
    ASSERT_TRUE(ChunkReader(Reading::kCounter).Read(series.chunks.list(), 0, INT64_MAX, &counters).ok());
    ASSERT_EQ(averages.size(), series.parts["count"].size());
    ASSERT_EQ(averages.histograms.size(), sums.histograms.size());
    for (size_t i = 0; i < sums.histograms.size(); ++i) {
      double count = series.parts["count"][sums.histograms[i].position].second;
      EXPECT_EQ(averages.histograms[i].histogram.sum, sums.histograms[i].histogram.sum / count);
      EXPECT_EQ(averages.histograms[i].histogram.count, sums.histograms[i].histogram.count / count);
    }
    EXPECT_EQ(counters.histograms.size(), sums.histograms.size());
  }
}

}  // namespace
}  // namespace gauntlet::downsample
