// Decoding and writing chunks of 120 samples in the five shapes of the anchors table; items are samples.
#include <benchmark/benchmark.h>

#include <random>

#include "tsdb/chunkenc/chunk.h"
#include "tsdb/chunkenc/histogram_appender.h"
#include "tsdb/chunkenc/xor.h"
#include "tsdb/chunkenc/xor2.h"

namespace gauntlet::tsdb {
namespace {

enum Shape { kConstant, kCounter, kGauge, kJitteredCounter, kSparseCounter };

// Calls append(chunk, t, v) on a fresh appender for each sample.
template <typename Appender, typename Append>
std::vector<std::string> MakeChunks(int shape, Append append) {
  std::mt19937_64 random(1);
  std::vector<std::string> chunks;
  for (int c = 0; c < 20000; ++c) {
    Appender appender;
    int64_t t = 1767571200000 + int64_t{c} * 121 * 15000;
    double v = static_cast<double>(random() % 100000);
    for (int i = 0; i < 120; ++i) {
      t += 15000;
      if (shape == kJitteredCounter) t += static_cast<int64_t>(random() % 11) - 5;
      if (shape == kCounter || shape == kJitteredCounter) v += static_cast<double>(random() % 40);
      if (shape == kGauge) v += (static_cast<double>(random() % 2000) - 1000) / 997;
      if (shape == kSparseCounter && random() % 8 == 0) v += 1;
      append(appender, t, v);
    }
    chunks.push_back(appender.Release());
  }
  return chunks;
}

void Decode(benchmark::State& state, Encoding encoding, const std::vector<std::string>& chunks) {
  Samples samples;
  size_t i = 0;
  for (auto _ : state) {
    samples.Clear();
    if (!DecodeChunk({encoding, chunks[i]}, &samples).ok()) state.SkipWithError("decode");
    benchmark::DoNotOptimize(samples.values.data());
    if (++i == chunks.size()) i = 0;
  }
  state.SetItemsProcessed(state.iterations() * 120);
}

void BM_DecodeXor(benchmark::State& state) {
  Decode(
      state, Encoding::kXor,
      MakeChunks<XorAppender>(static_cast<int>(state.range(0)), [](auto& a, int64_t t, double v) { a.Append(t, v); }));
}
BENCHMARK(BM_DecodeXor)->ArgName("shape")->DenseRange(kConstant, kSparseCounter);

// The twelve chunks of six hours of a series at once.
void BM_DecodeXorSeries(benchmark::State& state) {
  const auto chunks =
      MakeChunks<XorAppender>(static_cast<int>(state.range(0)), [](auto& a, int64_t t, double v) { a.Append(t, v); });
  constexpr size_t kChunks = 12;
  std::vector<ChunkView> views;
  for (const std::string& bytes : chunks) views.push_back({Encoding::kXor, bytes});
  Samples samples;
  size_t i = 0;
  for (auto _ : state) {
    samples.Clear();
    if (!DecodeChunks(std::span(views).subspan(i, kChunks), std::numeric_limits<int64_t>::min(),
                      std::numeric_limits<int64_t>::max(), &samples)
             .ok()) {
      state.SkipWithError("decode");
    }
    benchmark::DoNotOptimize(samples.values.data());
    if ((i += kChunks) + kChunks > chunks.size()) i = 0;
  }
  state.SetItemsProcessed(state.iterations() * 120 * static_cast<int64_t>(kChunks));
}
BENCHMARK(BM_DecodeXorSeries)->ArgName("shape")->DenseRange(kConstant, kSparseCounter);

void BM_DecodeXor2(benchmark::State& state) {
  Decode(state, Encoding::kXor2,
         MakeChunks<Xor2Appender>(static_cast<int>(state.range(0)),
                                  [](auto& a, int64_t t, double v) { a.Append(0, t, v); }));
}
BENCHMARK(BM_DecodeXor2)->ArgName("shape")->DenseRange(kConstant, kSparseCounter);

// Writes one chunk of 120 samples of the shape, over and over.
template <typename Appender, typename Append>
void Encode(benchmark::State& state, Append append) {
  auto chunks =
      MakeChunks<XorAppender>(static_cast<int>(state.range(0)), [](auto& a, int64_t t, double v) { a.Append(t, v); });
  Samples samples;
  for (size_t i = 0; i < 100; ++i) {
    if (!DecodeChunk({Encoding::kXor, chunks[i]}, &samples).ok()) state.SkipWithError("decode");
  }
  size_t at = 0;
  for (auto _ : state) {
    Appender appender;
    for (size_t i = at; i < at + 120; ++i) append(appender, samples.times_ms[i], samples.values[i]);
    benchmark::DoNotOptimize(appender.bytes().data());
    at = at + 120 == samples.size() ? 0 : at + 120;
  }
  state.SetItemsProcessed(state.iterations() * 120);
}
void BM_EncodeXor(benchmark::State& state) {
  Encode<XorAppender>(state, [](auto& a, int64_t t, double v) { a.Append(t, v); });
}
BENCHMARK(BM_EncodeXor)->ArgName("shape")->DenseRange(kConstant, kSparseCounter);

void BM_EncodeXor2(benchmark::State& state) {
  Encode<Xor2Appender>(state, [](auto& a, int64_t t, double v) { a.Append(0, t, v); });
}
BENCHMARK(BM_EncodeXor2)->ArgName("shape")->DenseRange(kConstant, kSparseCounter);

// A counter histogram of 40 buckets of which some grow at each sample.
template <bool is_float>
void BM_DecodeHistograms(benchmark::State& state) {
  std::mt19937_64 random(1);
  HistogramAppender appender(is_float ? Encoding::kFloatHistogram : Encoding::kHistogram);
  Histogram h;
  h.is_float = is_float;
  h.schema = 3;
  h.positive_spans = {{-10, 20}, {2, 20}};
  h.positive_buckets.resize(40);
  std::string finished;
  for (int i = 0; i < 120; ++i) {
    for (int k = 0; k < 6; ++k) h.positive_buckets[random() % 40] += static_cast<double>(random() % 20);
    h.count = 0;
    for (double b : h.positive_buckets) h.count += b;
    h.sum += 0.37 * static_cast<double>(random() % 1000);
    appender.Append(0, 1767571200000 + i * 15000, h, nullptr, &finished);
  }
  Samples samples;
  for (auto _ : state) {
    samples.Clear();
    if (!DecodeChunk({appender.encoding(), appender.bytes()}, &samples).ok()) state.SkipWithError("decode");
  }
  state.SetItemsProcessed(state.iterations() * 120);
}
BENCHMARK(BM_DecodeHistograms<false>);
BENCHMARK(BM_DecodeHistograms<true>);

}  // namespace
}  // namespace gauntlet::tsdb
