#include "tsdb/chunkenc/xor_lanes.h"

#include <gtest/gtest.h>

#include <bit>
#include <random>

#include "tsdb/chunkenc/chunk.h"
#include "tsdb/chunkenc/testing/golden_chunks.h"
#include "tsdb/chunkenc/xor.h"
#include "tsdb/chunkenc/xor2.h"

namespace gauntlet::tsdb {
namespace {

constexpr int64_t kMin = std::numeric_limits<int64_t>::min(), kMax = std::numeric_limits<int64_t>::max();

std::vector<ChunkView> Views(const std::vector<std::string>& chunks) {
  std::vector<ChunkView> views;
  for (const std::string& bytes : chunks) views.push_back({Encoding::kXor, bytes});
  return views;
}

// What DecodeChunks() promises, by DecodeChunk().
Status OneByOne(std::span<const ChunkView> chunks, int64_t mint_ms, int64_t maxt_ms, Samples* out) {
  for (ChunkView chunk : chunks) {
    if (out->size() > 0 && out->times_ms.back() >= maxt_ms) break;
    const int64_t from = out->size() > 0 ? std::max(mint_ms, out->times_ms.back() + 1) : mint_ms;
    GN_TRY(DecodeChunk(chunk, from, maxt_ms, out));
  }
  return Status();
}

void ExpectSameAsOneByOne(std::span<const ChunkView> chunks, int64_t mint_ms = kMin, int64_t maxt_ms = kMax) {
  Samples expected, got;
  const Status one_by_one = OneByOne(chunks, mint_ms, maxt_ms, &expected);
  const Status status = DecodeChunks(chunks, mint_ms, maxt_ms, &got);
  ASSERT_EQ(status.code(), one_by_one.code());
  ASSERT_EQ(status.message(), one_by_one.message());
  ASSERT_EQ(got.times_ms, expected.times_ms);
  ASSERT_EQ(got.values.size(), expected.values.size());
  for (size_t i = 0; i < got.values.size(); ++i) {
    ASSERT_EQ(std::bit_cast<uint64_t>(got.values[i]), std::bit_cast<uint64_t>(expected.values[i])) << i;
  }
}

// How the times and the values of a series go on; each may change from chunk to chunk.
enum class Times { kSteady, kJitter, kRareJitter, kJumps, kWild, kBack };
enum class Values { kCounter, kGauge, kAnyBits, kRare, kConstant };

class SeriesWriter {
 public:
  explicit SeriesWriter(uint64_t seed) : random_(seed) {}

  std::string Chunk(Times times, Values values, size_t count) {
    XorAppender appender;
    for (size_t i = 0; i < count; ++i) {
      appender.Append(t_, v_);
      t_ += interval_ + More(times);
      v_ = After(values);
    }
    return appender.Release();
  }
  uint64_t Random() { return random_(); }

 private:
  int64_t More(Times times) {
    switch (times) {
      case Times::kSteady:
        return 0;
      case Times::kJitter:
        return static_cast<int64_t>(random_() % 9);
      case Times::kRareJitter:
        return random_() % 30 == 0 ? static_cast<int64_t>(random_() % 9) : 0;
      case Times::kJumps:
        return random_() % 20 == 0 ? int64_t{1} << random_() % 24 : 0;
      case Times::kWild:
        return static_cast<int64_t>(random_() >> (24 + random_() % 40));
      case Times::kBack:
        return random_() % 20 == 0 ? -2 * interval_ : 0;
    }
    return 0;
  }
  double After(Values values) {
    switch (values) {
      case Values::kCounter:
        return v_ + static_cast<double>(random_() % 40);
      case Values::kGauge:
        return v_ + (static_cast<double>(random_() % 2000) - 1000) / 997;
      case Values::kAnyBits:
        return std::bit_cast<double>(random_());
      case Values::kRare:
        return random_() % 8 == 0 ? v_ + 1 : v_;
      case Values::kConstant:
        return v_;
    }
    return v_;
  }

  std::mt19937_64 random_;
  int64_t t_ = 1'767'571'200'000, interval_ = 15'000;
  double v_ = 17;
};

TEST(XorLanes, SeriesOfEveryShapeDecodeAsOneByOne) {
  for (Times times : {Times::kSteady, Times::kJitter, Times::kRareJitter, Times::kJumps, Times::kWild, Times::kBack}) {
    for (Values values : {Values::kCounter, Values::kGauge, Values::kAnyBits, Values::kRare, Values::kConstant}) {
      SeriesWriter writer(static_cast<uint64_t>(times) * 8 + static_cast<uint64_t>(values));
      std::vector<std::string> chunks;
      for (int i = 0; i < 26; ++i) chunks.push_back(writer.Chunk(times, values, 120));
      const auto views = Views(chunks);
      for (size_t n : {1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 26}) {
        SCOPED_TRACE(testing::Message() << static_cast<int>(times) << " " << static_cast<int>(values) << " " << n);
        ExpectSameAsOneByOne(std::span(views).first(n));
      }
    }
  }
}

TEST(XorLanes, ChunksOfUnequalShapesAndLengthsDecodeAsOneByOne) {
  for (uint64_t seed = 0; seed < 400; ++seed) {
    SCOPED_TRACE(seed);
    SeriesWriter writer(seed);
    std::vector<std::string> chunks;
    for (uint64_t i = 0, n = 3 + writer.Random() % 20; i < n; ++i) {
      const size_t count = writer.Random() % 4 == 0 ? writer.Random() % 300 : 100 + writer.Random() % 40;
      chunks.push_back(
          writer.Chunk(static_cast<Times>(writer.Random() % 6), static_cast<Values>(writer.Random() % 5), count));
    }
    ExpectSameAsOneByOne(Views(chunks));
  }
}

TEST(XorLanes, RangesCutTheFirstAndTheLastChunks) {
  SeriesWriter writer(5);
  std::vector<std::string> chunks;
  for (int i = 0; i < 11; ++i) chunks.push_back(writer.Chunk(Times::kRareJitter, Values::kCounter, 120));
  const auto views = Views(chunks);
  Samples all;
  ASSERT_TRUE(OneByOne(views, kMin, kMax, &all).ok());
  for (int round = 0; round < 300; ++round) {
    const int64_t a = all.times_ms[writer.Random() % all.size()] + static_cast<int64_t>(writer.Random() % 3) - 1;
    const int64_t b = all.times_ms[writer.Random() % all.size()] + static_cast<int64_t>(writer.Random() % 3) - 1;
    ExpectSameAsOneByOne(views, std::min(a, b), std::max(a, b));
  }
}

TEST(XorLanes, ChunksThatOverlapGiveEachTimeOnce) {
  SeriesWriter writer(6), same(6);
  std::vector<std::string> chunks;
  for (int i = 0; i < 4; ++i) chunks.push_back(writer.Chunk(Times::kSteady, Values::kCounter, 120));
  for (int i = 0; i < 5; ++i) chunks.push_back(same.Chunk(Times::kSteady, Values::kCounter, 120));
  ExpectSameAsOneByOne(Views(chunks));
  Samples samples;
  ASSERT_TRUE(DecodeChunks(Views(chunks), kMin, kMax, &samples).ok());
  EXPECT_EQ(samples.size(), 5u * 120);
}

TEST(XorLanes, SamplesStandBehindThoseThatWereThere) {
  SeriesWriter writer(7);
  std::vector<std::string> chunks;
  for (int i = 0; i < 8; ++i) chunks.push_back(writer.Chunk(Times::kSteady, Values::kGauge, 120));
  Samples samples;
  samples.times_ms = {kMax - 1, kMax};
  samples.values = {1, 2};
  ASSERT_TRUE(DecodeChunks(Views(chunks), kMin, kMax, &samples).ok());
  EXPECT_EQ(samples.size(), 2u + 8 * 120);
  EXPECT_EQ(samples.times_ms[1], kMax);
  EXPECT_EQ(samples.times_ms[2], 1'767'571'200'000);
}

TEST(XorLanes, OtherEncodingsBetweenFloatsAreDecodedInTheirPlace) {
  SeriesWriter writer(8);
  std::vector<std::string> chunks;
  for (int i = 0; i < 10; ++i) chunks.push_back(writer.Chunk(Times::kSteady, Values::kGauge, 120));
  Samples samples;
  ASSERT_TRUE(DecodeChunk({Encoding::kXor, chunks[5]}, &samples).ok());
  Xor2Appender appender;
  for (size_t i = 0; i < samples.size(); ++i)
    appender.Append(samples.times_ms[i] - 10, samples.times_ms[i], samples.values[i]);
  auto views = Views(chunks);
  views[5] = {Encoding::kXor2, appender.bytes()};
  Samples expected, got;
  ASSERT_TRUE(OneByOne(views, kMin, kMax, &expected).ok());
  ASSERT_TRUE(DecodeChunks(views, kMin, kMax, &got).ok());
  EXPECT_EQ(got.times_ms, expected.times_ms);
  EXPECT_EQ(got.values, expected.values);
  EXPECT_EQ(got.start_times_ms, expected.start_times_ms);
}

TEST(XorLanes, DamagedChunksEndAsOneByOne) {
  for (uint64_t seed = 0; seed < 3000; ++seed) {
    SCOPED_TRACE(seed);
    SeriesWriter writer(seed);
    std::vector<std::string> chunks;
    for (int i = 0; i < 8; ++i) {
      chunks.push_back(
          writer.Chunk(static_cast<Times>(writer.Random() % 5), static_cast<Values>(writer.Random() % 5), 40));
    }
    std::string& bytes = chunks[writer.Random() % chunks.size()];
    if (writer.Random() % 2 == 0) {
      bytes.resize(writer.Random() % bytes.size());
    } else {
      bytes[writer.Random() % bytes.size()] ^= static_cast<char>(1 << writer.Random() % 8);
    }
    ExpectSameAsOneByOne(Views(chunks));
  }
}

TEST(XorLanes, GoldenChunksSideBySideDecodeAsEachAlone) {
  if (GoldenChunks().empty()) GTEST_SKIP() << "no shared golden data";
  std::vector<ChunkView> row;
  size_t rows = 0;
  for (const GoldenChunk& golden : GoldenChunks()) {
    if (golden.encoding != Encoding::kXor) continue;
    row.push_back(golden.view());
    if (row.size() < 8) continue;
    ExpectSameAsOneByOne(row);
    ++rows;
    row.clear();
  }
  EXPECT_GT(rows, 70u);
}

TEST(XorLanes, RepetitionsAndShortChunksAreLeftToOneDecoder) {
  SeriesWriter writer(9);
  std::vector<std::string> constant, short_ones, usual;
  for (int i = 0; i < 14; ++i) {
    constant.push_back(writer.Chunk(Times::kSteady, Values::kConstant, 120));
    short_ones.push_back(writer.Chunk(Times::kSteady, Values::kCounter, 10));
    usual.push_back(writer.Chunk(Times::kSteady, Values::kCounter, 120));
  }
  const auto usual_views = Views(usual);
  EXPECT_EQ(ChunksAbreast(Views(constant)), 0u);
  EXPECT_EQ(ChunksAbreast(Views(short_ones)), 0u);
  EXPECT_EQ(ChunksAbreast(std::span(usual_views).first(2)), 0u);
  if (ChunksAbreast(usual_views) == 0) GTEST_SKIP() << "this processor decodes one chunk at a time";
  for (auto [chunks, abreast] :
       {std::pair{3u, 3u}, {4u, 4u}, {5u, 4u}, {6u, 6u}, {8u, 8u}, {9u, 8u}, {10u, 10u}, {14u, 12u}}) {
    EXPECT_EQ(ChunksAbreast(std::span(usual_views).first(chunks)), abreast);
  }
}

}  // namespace
}  // namespace gauntlet::tsdb
