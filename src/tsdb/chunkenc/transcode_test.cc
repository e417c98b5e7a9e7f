#include "tsdb/chunkenc/transcode.h"

#include <gtest/gtest.h>

#include "tsdb/chunkenc/histogram_layout.h"
#include "tsdb/chunkenc/testing/golden_chunks.h"

namespace gauntlet::tsdb {
namespace {

TEST(Transcode, GoldenChunksKeepTheirSamplesAndResetHeaders) {
  if (GoldenChunks().empty()) GTEST_SKIP() << "no shared golden data";
  for (const auto& golden : GoldenChunks()) {
    auto chunks = Transcode(golden.view());
    ASSERT_TRUE(chunks.ok()) << golden.name;
    Samples before, after;
    ASSERT_TRUE(DecodeChunk(golden.view(), &before).ok());
    for (const auto& chunk : *chunks) {
      EXPECT_TRUE(IsPortable(chunk.encoding));
      EXPECT_EQ(chunk.mint_ms, before.times_ms[after.size()]);
      ASSERT_TRUE(DecodeChunk(chunk.view(), &after).ok());
      EXPECT_EQ(chunk.maxt_ms, after.times_ms.back());
    }
    EXPECT_EQ(chunks->size(), 1u);
    before.start_times_ms.clear();
    ASSERT_EQ(after.size(), before.size()) << golden.name;
    for (size_t i = 0; i < before.size(); ++i) ASSERT_EQ(SampleText(after, i), SampleText(before, i)) << golden.name;
    if (!IsHistogramEncoding(golden.encoding)) continue;
    HistogramHeader old_header, new_header;
    ASSERT_TRUE(ReadHistogramHeader(golden.encoding, golden.bytes, &old_header));
    ASSERT_TRUE(ReadHistogramHeader(chunks->front().encoding, chunks->front().bytes, &new_header));
    EXPECT_EQ(new_header.reset, old_header.reset);
  }
}

TEST(Transcode, AlternatingKindsAreCut) {
  Samples samples;
  Histogram h;
  h.is_float = false;
  for (uint32_t i = 0; i < 10; ++i) {
    samples.times_ms.push_back(i);
    samples.values.push_back(i);
    if (i >= 3 && i < 6) samples.histograms.push_back({i, h});
  }
  std::vector<EncodedChunk> chunks;
  EncodeSamples(samples, 3, &chunks);
  Samples back;
  for (const auto& chunk : chunks) ASSERT_TRUE(DecodeChunk(chunk.view(), &back).ok());
  EXPECT_EQ(chunks.size(), 4u);  // 3 floats, 3 histograms, 3 and 1 floats
  EXPECT_EQ(back.times_ms, samples.times_ms);
  ASSERT_EQ(back.histograms.size(), 3u);
  EXPECT_EQ(back.histograms[2].position, 5u);
}

}  // namespace
}  // namespace gauntlet::tsdb
