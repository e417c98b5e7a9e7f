// Every golden chunk decodes to its samples; damaged ones are refused without harm.

#include "tsdb/chunkenc/chunk.h"

#include <gtest/gtest.h>

#include <random>

#include "tsdb/chunkenc/testing/golden_chunks.h"

namespace gauntlet::tsdb {
namespace {

TEST(Chunk, GoldenChunksDecodeToTheirSamples) {
  if (GoldenChunks().empty()) GTEST_SKIP() << "no shared golden data";
  for (const auto& golden : GoldenChunks()) {
    EXPECT_EQ(SampleCount(golden.view()), golden.samples.size()) << golden.name;
    Samples samples;
    auto status = DecodeChunk(golden.view(), &samples);
    ASSERT_TRUE(status.ok()) << golden.name << ": " << status.message();
    ASSERT_EQ(samples.size(), golden.samples.size()) << golden.name;
    ASSERT_EQ(samples.values.size(), samples.size());
    for (size_t i = 0; i < samples.size(); ++i) {
      ASSERT_EQ(SampleText(samples, i), WithoutDecimals(golden.samples[i])) << golden.name << " sample " << i;
    }
  }
}

TEST(Chunk, EveryCutOfAGoldenChunkIsRefusedOrAPrefix) {
  if (GoldenChunks().empty()) GTEST_SKIP() << "no shared golden data";
  for (const auto& golden : GoldenChunks()) {
    Samples whole;
    ASSERT_TRUE(DecodeChunk(golden.view(), &whole).ok());
    // The bits of the last sample may end before the last byte only if that byte is unused.
    for (size_t cut = 0; cut < golden.bytes.size(); ++cut) {
      Samples samples;
      std::string bytes = golden.bytes.substr(0, cut);
      auto status = DecodeChunk({golden.encoding, bytes}, &samples);
      if (status.ok()) {
        EXPECT_EQ(samples.times_ms, whole.times_ms) << golden.name << " cut at " << cut;
      } else {
        EXPECT_EQ(status.code(), Code::kCorrupt);
        EXPECT_EQ(samples.size(), 0u);
        EXPECT_TRUE(samples.histograms.empty());
      }
    }
  }
}

TEST(Chunk, FlippedBitsNeverHarm) {
  if (GoldenChunks().empty()) GTEST_SKIP() << "no shared golden data";
  std::mt19937_64 random(7);
  for (const auto& golden : GoldenChunks()) {
    for (int round = 0; round < 200; ++round) {
      std::string bytes = golden.bytes;
      for (int flips = 0; flips < 3; ++flips) bytes[random() % bytes.size()] ^= static_cast<char>(1 << random() % 8);
      Samples samples;
      if (!DecodeChunk({golden.encoding, bytes}, &samples).ok()) continue;
      EXPECT_TRUE(std::is_sorted(samples.times_ms.begin(), samples.times_ms.end()));
      EXPECT_EQ(samples.values.size(), samples.size());
    }
  }
}

TEST(Chunk, RangeCutsAtBothEndsInclusively) {
  if (GoldenChunks().empty()) GTEST_SKIP() << "no shared golden data";
  for (const auto& golden : GoldenChunks()) {
    if (golden.samples.size() < 10) continue;
    Samples whole, part;
    ASSERT_TRUE(DecodeChunk(golden.view(), &whole).ok());
    auto n = whole.size();
    ASSERT_TRUE(DecodeChunk(golden.view(), whole.times_ms[3], whole.times_ms[n - 3], &part).ok());
    ASSERT_TRUE(DecodeChunk(golden.view(), whole.times_ms[n - 3] + 1, whole.times_ms[n - 1], &part).ok());
    ASSERT_EQ(part.size(), n - 3) << golden.name;
    for (size_t i = 0; i < part.size(); ++i) EXPECT_EQ(SampleText(part, i), SampleText(whole, i + 3)) << golden.name;
    Samples none;
    ASSERT_TRUE(DecodeChunk(golden.view(), whole.times_ms[n - 1] + 1, INT64_MAX, &none).ok());
    ASSERT_TRUE(DecodeChunk(golden.view(), INT64_MIN, whole.times_ms[0] - 1, &none).ok());
    EXPECT_EQ(none.size(), 0u);
    EXPECT_TRUE(none.histograms.empty());
  }
}

TEST(Chunk, TimeRangeIsThatOfTheSamples) {
  if (GoldenChunks().empty()) GTEST_SKIP() << "no shared golden data";
  for (const auto& golden : GoldenChunks()) {
    Samples samples;
    ASSERT_TRUE(DecodeChunk(golden.view(), &samples).ok());
    auto range = ReadTimeRange(golden.view());
    ASSERT_TRUE(range.ok());
    EXPECT_EQ(range->mint_ms, samples.times_ms.front());
    EXPECT_EQ(range->maxt_ms, samples.times_ms.back());
  }
}

TEST(Chunk, UnknownEncodingIsUnsupported) {
  Samples samples;
  EXPECT_EQ(DecodeChunk({static_cast<Encoding>(99), "abc"}, &samples).code(), Code::kUnsupported);
  EXPECT_EQ(DecodeChunk({Encoding::kAggregate, "abc"}, &samples).code(), Code::kUnsupported);
}

}  // namespace
}  // namespace gauntlet::tsdb
