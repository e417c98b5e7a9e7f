// Decoding chunks of 120 samples in the five shapes of the anchors table; items are samples.
#include <benchmark/benchmark.h>

#include <random>

#include "tsdb/chunkenc/chunk.h"
#include "tsdb/chunkenc/xor.h"

namespace gauntlet::tsdb {
namespace {

enum Shape { kConstant, kCounter, kGauge, kJitteredCounter, kSparseCounter };

std::vector<std::string> MakeChunks(int shape) {
  std::mt19937_64 random(1);
  std::vector<std::string> chunks;
  for (int c = 0; c < 20000; ++c) {
    XorAppender appender;
    int64_t t = 1767571200000 + c;
    double v = static_cast<double>(random() % 100000);
    for (int i = 0; i < 120; ++i) {
      t += 15000;
      if (shape == kJitteredCounter) t += static_cast<int64_t>(random() % 11) - 5;
      if (shape == kCounter || shape == kJitteredCounter) v += static_cast<double>(random() % 40);
      if (shape == kGauge) v += (static_cast<double>(random() % 2000) - 1000) / 997;
      if (shape == kSparseCounter && random() % 8 == 0) v += 1;
      appender.Append(t, v);
    }
    chunks.push_back(appender.Release());
  }
  return chunks;
}

void BM_DecodeXor(benchmark::State& state) {
  auto chunks = MakeChunks(static_cast<int>(state.range(0)));
  Samples samples;
  size_t i = 0;
  for (auto _ : state) {
    samples.Clear();
    if (!DecodeChunk({Encoding::kXor, chunks[i]}, &samples).ok()) state.SkipWithError("decode");
    benchmark::DoNotOptimize(samples.values.data());
    if (++i == chunks.size()) i = 0;
  }
  state.SetItemsProcessed(state.iterations() * 120);
}
BENCHMARK(BM_DecodeXor)->ArgName("shape")->DenseRange(kConstant, kSparseCounter);

}  // namespace
}  // namespace gauntlet::tsdb
