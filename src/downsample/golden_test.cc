// Recorded downsampling: the chunks of every series have the recorded bytes, raw -> 5m -> 1h.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "downsample/series_downsampler.h"
#include "downsample/windows.h"
#include "tsdb/block/block.h"
#include "tsdb/chunkenc/aggr_chunk.h"
#include "tsdb/chunkenc/testing/golden_chunks.h"

namespace gauntlet::downsample {
namespace {

constexpr int64_t kMin = std::numeric_limits<int64_t>::min(), kMax = std::numeric_limits<int64_t>::max();

std::shared_ptr<const tsdb::Block> Open(const std::string& name, const std::string& resolution) {
  auto block = tsdb::Block::Open(io::RealFileSystem(), tsdb::GoldenFolder() + "/downsample/" + name + "/" + resolution);
  EXPECT_TRUE(block.ok()) << block.status().message();
  return block.ok() ? *block : nullptr;
}

std::string TestName(const ::testing::TestParamInfo<const char*>& info) {
  std::string name = info.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

class GoldenDownsampling : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (tsdb::GoldenFolder().empty()) GTEST_SKIP() << "no shared golden data";
  }
};
INSTANTIATE_TEST_SUITE_P(Cases, GoldenDownsampling,
                         ::testing::Values("floats", "hist-counter-float", "hist-counter-int",
                                           "hist-counter-int-resets", "hist-gauge", "hist-mixed-float",
                                           "hist-mixed-int-float-hist", "hist-nan-sum", "hist-nhcb",
                                           "hist-schema-changes", "hist-schema-flap", "hist-stale"),
                         TestName);
// Where a histogram cannot stand in one chunk with the windows before, the recorded chunks have lost those windows.
class GoldenLossyDownsampling : public GoldenDownsampling {};
INSTANTIATE_TEST_SUITE_P(Cases, GoldenLossyDownsampling,
                         ::testing::Values("hist-gauge-counter-mix", "hist-nhcb-bounds-change", "hist-zero-threshold"),
                         TestName);

// All parts with their samples, a line each; histogram layouts show only in the head of the bytes.
std::vector<std::string> Describe(std::string_view bytes) {
  std::vector<std::string> lines;
  auto parts = tsdb::ParseAggrChunk(bytes);
  for (size_t i = 0; i < tsdb::kAggregates; ++i) {
    tsdb::ChunkView part = parts->parts[i];
    std::string head;
    for (size_t b = 0; b < part.bytes.size() && b < 16; ++b) head += fmt::format("{:02x}", uint8_t(part.bytes[b]));
    lines.push_back(fmt::format("{} encoding {} bytes {} {}", tsdb::AggregateName(static_cast<tsdb::Aggregate>(i)),
                                static_cast<int>(part.encoding), part.bytes.size(), head));
    Samples samples;
    if (part.encoding == tsdb::Encoding::kNone || !tsdb::DecodeChunk(part, &samples).ok()) continue;
    for (size_t k = 0; k < samples.size(); ++k) lines.push_back(tsdb::SampleText(samples, k));
  }
  return lines;
}

void ExpectSameBytes(std::string_view made, std::string_view recorded, const std::string& what) {
  if (made == recorded) return;
  ADD_FAILURE() << what << ": other bytes";
  std::vector<std::string> a = Describe(made), b = Describe(recorded);
  int shown = 0;
  for (size_t i = 0; i < std::max(a.size(), b.size()) && shown < 6; ++i) {
    std::string x = i < a.size() ? a[i] : "", y = i < b.size() ? b[i] : "";
    if (x == y) continue;
    ++shown;
    ADD_FAILURE() << "line " << i << "\n made     " << x << "\n recorded " << y;
  }
}

std::vector<TimedChunk> ChunksOf(const tsdb::Block& block, const tsdb::BlockSeries& series) {
  std::vector<TimedChunk> chunks;
  for (const tsdb::ChunkMeta& chunk : series.chunks()) {
    chunks.push_back({chunk.mint_ms, chunk.maxt_ms, *block.chunks().Read(chunk.ref)});
  }
  return chunks;
}

void ExpectSameChunks(const tsdb::Block& from, const tsdb::Block& recorded, int64_t from_ms, int64_t to_ms) {
  auto from_ids = from.Select({}, Cancel()), recorded_ids = recorded.Select({}, Cancel());
  ASSERT_TRUE(from_ids.ok() && recorded_ids.ok());
  tsdb::BlockSeries source(from, std::move(*from_ids), kMin, kMax),
      expected(recorded, std::move(*recorded_ids), kMin, kMax);
  SeriesDownsampler downsampler(from_ms, to_ms);
  size_t chunks_seen = 0;
  for (;;) {
    auto more = source.Next();
    ASSERT_TRUE(more.ok());
    if (!*more) break;
    std::vector<tsdb::EncodedChunk> made;
    Status status = downsampler.Downsample(ChunksOf(from, source), &made);
    ASSERT_TRUE(status.ok()) << source.labels().ToString() << ": " << status.message();
    if (made.empty()) continue;
    auto expected_more = expected.Next();
    ASSERT_TRUE(expected_more.ok() && *expected_more);
    ASSERT_EQ(source.labels().ToString(), expected.labels().ToString());
    ASSERT_EQ(made.size(), expected.chunks().size()) << source.labels().ToString();
    for (size_t i = 0; i < made.size(); ++i, ++chunks_seen) {
      const tsdb::ChunkMeta& meta = expected.chunks()[i];
      EXPECT_EQ(made[i].mint_ms, meta.mint_ms) << source.labels().ToString() << " chunk " << i;
      EXPECT_EQ(made[i].maxt_ms, meta.maxt_ms) << source.labels().ToString() << " chunk " << i;
      tsdb::ChunkView chunk = *recorded.chunks().Read(meta.ref);
      ExpectSameBytes(made[i].bytes, chunk.bytes, source.labels().ToString() + " chunk " + std::to_string(i));
    }
  }
  EXPECT_FALSE(*expected.Next());
  EXPECT_EQ(chunks_seen, recorded.meta().stats.chunks);
}

TEST_P(GoldenDownsampling, RawChunksMakeTheRecordedFiveMinuteChunks) {
  ExpectSameChunks(*Open(GetParam(), "raw"), *Open(GetParam(), "5m"), 0, kFiveMinutesMs);
}

TEST_P(GoldenDownsampling, FiveMinuteChunksMakeTheRecordedHourChunks) {
  ExpectSameChunks(*Open(GetParam(), "5m"), *Open(GetParam(), "1h"), kFiveMinutesMs, kHourMs);
}

// By time: the samples of a part in all the chunks, as text.
std::map<int64_t, std::string> PartByTime(const std::vector<std::string_view>& chunks, tsdb::Aggregate part) {
  std::map<int64_t, std::string> by_time;
  for (std::string_view chunk : chunks) {
    Samples samples;
    EXPECT_TRUE(tsdb::DecodeChunk((*tsdb::ParseAggrChunk(chunk))[part], &samples).ok());
    for (auto& h : samples.histograms) {
      h.histogram.reset_hint = ResetHint::kUnknown;  // depends on where chunks begin
      CompactHistogram(h.histogram);                 // and empty buckets on what is in them
    }
    for (size_t i = 0; i < samples.size(); ++i) by_time[samples.times_ms[i]] = tsdb::SampleText(samples, i);
  }
  return by_time;
}

TEST_P(GoldenLossyDownsampling, AllWindowsAreMadeAndThoseRecordedAreTheSame) {
  auto raw = Open(GetParam(), "raw"), recorded = Open(GetParam(), "5m");
  auto raw_ids = raw->Select({}, Cancel()), recorded_ids = recorded->Select({}, Cancel());
  tsdb::BlockSeries source(*raw, std::move(*raw_ids), kMin, kMax),
      expected(*recorded, std::move(*recorded_ids), kMin, kMax);
  SeriesDownsampler downsampler(0, kFiveMinutesMs), again(kFiveMinutesMs, kHourMs);
  size_t lost = 0;
  while (*source.Next()) {
    ASSERT_TRUE(*expected.Next());
    std::vector<tsdb::EncodedChunk> made, hours;
    ASSERT_TRUE(downsampler.Downsample(ChunksOf(*raw, source), &made).ok());
    std::vector<std::string_view> made_bytes, recorded_bytes, hour_bytes;
    std::vector<TimedChunk> made_chunks;
    for (const auto& chunk : made) {
      made_bytes.push_back(chunk.bytes);
      made_chunks.push_back({chunk.mint_ms, chunk.maxt_ms, chunk.view()});
    }
    std::vector<TimedChunk> recorded_chunks = ChunksOf(*recorded, expected);
    for (const auto& chunk : recorded_chunks) recorded_bytes.push_back(chunk.chunk.bytes);
    auto counts = PartByTime(made_bytes, tsdb::Aggregate::kCount);
    EXPECT_EQ(counts, PartByTime(recorded_bytes, tsdb::Aggregate::kCount));
    for (auto part : {tsdb::Aggregate::kSum, tsdb::Aggregate::kCounter}) {
      auto ours = PartByTime(made_bytes, part), theirs = PartByTime(recorded_bytes, part);
      for (const auto& [time, count] : counts) EXPECT_TRUE(ours.contains(time)) << time;
      for (const auto& [time, text] : theirs) {
        if (ours.contains(time)) EXPECT_EQ(ours[time], text) << time;
      }
      lost += ours.size() - std::min(theirs.size(), ours.size());
    }
    ASSERT_TRUE(again.Downsample(made_chunks, &hours).ok());
    for (const auto& chunk : hours) hour_bytes.push_back(chunk.bytes);
    size_t hour_windows = PartByTime(hour_bytes, tsdb::Aggregate::kCount).size();
    EXPECT_EQ(PartByTime(hour_bytes, tsdb::Aggregate::kSum).size(), hour_windows);
    // A float counter's first raw value stands beside its windows.
    EXPECT_GE(PartByTime(hour_bytes, tsdb::Aggregate::kCounter).size(), hour_windows);
  }
  EXPECT_GT(lost, 10u);
}

}  // namespace
}  // namespace gauntlet::downsample
