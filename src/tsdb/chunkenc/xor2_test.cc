#include "tsdb/chunkenc/xor2.h"

#include <gtest/gtest.h>

#include <bit>
#include <random>

#include "model/stale.h"
#include "tsdb/chunkenc/chunk.h"
#include "tsdb/chunkenc/testing/golden_chunks.h"
#include "tsdb/chunkenc/xor.h"

namespace gauntlet::tsdb {
namespace {

TEST(Xor2, GoldenChunksAreWrittenWithTheSameBytes) {
  if (GoldenChunks().empty()) GTEST_SKIP() << "no shared golden data";
  int checked = 0;
  for (const auto& golden : GoldenChunks()) {
    if (golden.encoding != Encoding::kXor2) continue;
    Samples samples;
    for (const auto& line : golden.samples) AppendSampleText(line, &samples);
    Xor2Appender appender;
    for (size_t i = 0; i < samples.size(); ++i) {
      appender.Append(samples.start_times_ms[i], samples.times_ms[i], samples.values[i]);
    }
    EXPECT_EQ(appender.bytes(), golden.bytes) << golden.name;
    ++checked;
  }
  EXPECT_EQ(checked, 45);
}

// start_kind: 0 none, 1 constant, 2 changes sometimes, 3 changes always, 4 appears late.
void RoundTrip(std::mt19937_64& random, int start_kind) {
  std::vector<int64_t> starts, times;
  std::vector<double> values;
  int64_t t = static_cast<int64_t>(random() % 2000000) - 1000, interval = 1 + static_cast<int64_t>(random() % 100000);
  int64_t start = start_kind == 0 || start_kind == 4 ? 0 : t - 5000;
  double v = static_cast<double>(random() % 1000);
  int time_kind = static_cast<int>(random() % 4), value_kind = static_cast<int>(random() % 6);
  size_t n = 1 + random() % 300;
  for (size_t i = 0; i < n; ++i) {
    t += interval;
    if (time_kind == 1) t += static_cast<int64_t>(random() % 10);
    if (time_kind == 2) t += static_cast<int64_t>(random() >> (20 + random() % 44));
    if (time_kind == 3 && random() % 10 == 0) t += 1 << random() % 24;
    if (value_kind == 1) v += static_cast<double>(random() % 3);
    if (value_kind == 2) v = std::bit_cast<double>(random());
    if (value_kind == 3) v += static_cast<double>(random() % 1000) / 997;
    if (value_kind == 4 && random() % 20 == 0) v += 1;
    if ((start_kind == 2 && random() % 30 == 0) || start_kind == 3) start = t - static_cast<int64_t>(random() % 9000);
    if (start_kind == 4 && i == n / 2) start = t;
    times.push_back(t);
    starts.push_back(start);
    values.push_back(value_kind == 5 && random() % 5 == 0 ? StaleNaN() : v);
  }
  Xor2Appender appender;
  for (size_t i = 0; i < n; ++i) appender.Append(starts[i], times[i], values[i]);
  Samples samples;
  ASSERT_TRUE(DecodeChunk({Encoding::kXor2, appender.bytes()}, &samples).ok());
  ASSERT_EQ(samples.times_ms, times);
  for (size_t i = 0; i < n; ++i) {
    ASSERT_EQ(std::bit_cast<uint64_t>(samples.values[i]), std::bit_cast<uint64_t>(values[i])) << i;
    ASSERT_EQ(samples.start_times_ms.empty() ? 0 : samples.start_times_ms[i], starts[i]) << i << " kind " << start_kind;
  }
}

TEST(Xor2, RandomSeriesRoundTrip) {
  std::mt19937_64 random(5);
  for (int round = 0; round < 1000; ++round) RoundTrip(random, round % 5);
}

TEST(Xor2, NoStartTimesLeaveTheColumnEmpty) {
  Xor2Appender appender;
  for (int i = 0; i < 200; ++i) appender.Append(0, i * 1000, i);  // beyond 127 zeros are written out
  Samples samples;
  ASSERT_TRUE(DecodeChunk({Encoding::kXor2, appender.bytes()}, &samples).ok());
  EXPECT_EQ(samples.size(), 200u);
  EXPECT_TRUE(samples.start_times_ms.empty());
}

TEST(Xor2, StartTimesOfOneChunkFillTheColumnForTheOthers) {
  XorAppender plain;
  for (int i = 0; i < 3; ++i) plain.Append(i, i);
  Xor2Appender with;
  for (int i = 3; i < 5; ++i) with.Append(2, i, i);
  Samples samples;
  ASSERT_TRUE(DecodeChunk({Encoding::kXor, plain.bytes()}, &samples).ok());
  EXPECT_TRUE(samples.start_times_ms.empty());
  ASSERT_TRUE(DecodeChunk({Encoding::kXor2, with.bytes()}, &samples).ok());
  ASSERT_TRUE(DecodeChunk({Encoding::kXor, plain.bytes()}, &samples).ok());
  EXPECT_EQ(samples.start_times_ms, (std::vector<int64_t>{0, 0, 0, 2, 2, 0, 0, 0}));
}

}  // namespace
}  // namespace gauntlet::tsdb
