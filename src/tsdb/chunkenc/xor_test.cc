#include "tsdb/chunkenc/xor.h"

#include <gtest/gtest.h>

#include <bit>
#include <random>

#include "tsdb/chunkenc/chunk.h"
#include "tsdb/chunkenc/testing/golden_chunks.h"

namespace gauntlet::tsdb {
namespace {

void ExpectRoundTrip(const std::vector<int64_t>& times, const std::vector<double>& values) {
  XorAppender appender;
  for (size_t i = 0; i < times.size(); ++i) {
    appender.Append(times[i], values[i]);
    Samples samples;  // each state on the way is a chunk
    ASSERT_TRUE(DecodeChunk({Encoding::kXor, appender.bytes()}, &samples).ok());
    ASSERT_EQ(samples.size(), i + 1);
    ASSERT_EQ(samples.times_ms[i], times[i]);
    ASSERT_EQ(std::bit_cast<uint64_t>(samples.values[i]), std::bit_cast<uint64_t>(values[i])) << i;
  }
}

TEST(Xor, GoldenChunksAreWrittenWithTheSameBytes) {
  if (GoldenChunks().empty()) GTEST_SKIP() << "no shared golden data";
  int checked = 0;
  for (const auto& golden : GoldenChunks()) {
    if (golden.encoding != Encoding::kXor) continue;
    Samples samples;
    for (const auto& line : golden.samples) AppendSampleText(line, &samples);
    XorAppender appender;
    for (size_t i = 0; i < samples.size(); ++i) appender.Append(samples.times_ms[i], samples.values[i]);
    EXPECT_EQ(appender.bytes(), golden.bytes) << golden.name;
    ++checked;
  }
  EXPECT_EQ(checked, 619);
}

TEST(Xor, RandomSeriesRoundTrip) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 300; ++round) {
    std::vector<int64_t> times;
    std::vector<double> values;
    int64_t t = static_cast<int64_t>(random() % 2000) - 1000, interval = 1 + static_cast<int64_t>(random() % 100000);
    double v = static_cast<double>(random() % 1000);
    int time_kind = static_cast<int>(random() % 4), value_kind = static_cast<int>(random() % 5);
    for (size_t i = 0, n = 1 + random() % 150; i < n; ++i) {
      times.push_back(t);
      values.push_back(v);
      t += interval;
      if (time_kind == 1) t += static_cast<int64_t>(random() % 10);
      if (time_kind == 2) t += static_cast<int64_t>(random() >> (20 + random() % 44));
      if (time_kind == 3 && random() % 10 == 0) t += 1 << random() % 24;
      if (value_kind == 1) v += static_cast<double>(random() % 3);
      if (value_kind == 2) v = std::bit_cast<double>(random());
      if (value_kind == 3) v += static_cast<double>(random() % 1000) / 997;
      if (value_kind == 4 && random() % 20 == 0) v += 1;
    }
    ExpectRoundTrip(times, values);
  }
}

TEST(Xor, DeltaOfDeltaAtTheBordersOfItsWidths) {
  std::vector<int64_t> times = {0, 1 << 30};
  for (int width : {14, 17, 20}) {
    for (int64_t dod : {-(int64_t{1} << (width - 1)), -(int64_t{1} << (width - 1)) + 1, int64_t{1} << (width - 1),
                        (int64_t{1} << (width - 1)) + 1}) {
      int64_t delta = times.back() - times[times.size() - 2];
      times.push_back(times.back() + delta + dod);
    }
  }
  ExpectRoundTrip(times, std::vector<double>(times.size(), 1.5));
}

TEST(Xor, TimesAtTheEndsOfTheRangeRoundTrip) {
  ExpectRoundTrip({INT64_MIN, -1, 0, INT64_MAX - 1, INT64_MAX}, {1, 2, 3, 4, 5});
}

TEST(Xor, CountBeyondTheBitsIsRefusedBeforeMemoryIsTaken) {
  std::string bytes("\xff\xff\0\0\0\0\0\0\0\0\0\0\0", 13);
  Samples samples;
  EXPECT_EQ(DecodeChunk({Encoding::kXor, bytes}, &samples).code(), Code::kCorrupt);
  EXPECT_EQ(samples.times_ms.capacity(), 0u);
}

TEST(Xor, SamplesThatGoBackInTimeAreDropped) {
  XorAppender appender;
  for (int64_t t : {100, 200, 150, 300, 299, 301}) appender.Append(t, static_cast<double>(t));
  Samples samples;
  ASSERT_TRUE(DecodeChunk({Encoding::kXor, appender.bytes()}, &samples).ok());
  EXPECT_EQ(samples.times_ms, (std::vector<int64_t>{100, 200, 300, 301}));
  EXPECT_EQ(samples.values, (std::vector<double>{100, 200, 300, 301}));
}

TEST(Xor, WindowBeyond64BitsIsRefused) {
  BitWriter bits(2);
  bits.set_byte(1, 2);
  bits.Varint(0);
  bits.Bits(0, 64);
  bits.Uvarint(10);
  bits.Bits(0b11, 2);
  bits.Bits(31, 5);
  bits.Bits(40, 6);
  bits.Bits(~0ull, 64);
  Samples samples;
  EXPECT_EQ(DecodeChunk({Encoding::kXor, bits.bytes()}, &samples).code(), Code::kCorrupt);
}

TEST(Xor, EmptyChunkHasNoSamples) {
  Samples samples;
  EXPECT_TRUE(DecodeChunk({Encoding::kXor, XorAppender().bytes()}, &samples).ok());
  EXPECT_EQ(samples.size(), 0u);
}

}  // namespace
}  // namespace gauntlet::tsdb
