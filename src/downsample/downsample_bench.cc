// Downsampling of one series of 48 hours at 15 seconds, and reading what it made. Items are raw samples.

#include <benchmark/benchmark.h>

#include <cmath>
#include <random>
#include <vector>

#include "base/check.h"
#include "downsample/chunk_reader.h"
#include "downsample/series_downsampler.h"
#include "downsample/windows.h"
#include "tsdb/chunkenc/aggr_chunk.h"
#include "tsdb/chunkenc/transcode.h"

namespace gauntlet::downsample {
namespace {

constexpr int64_t kStartMs = 1'767'571'200'000;
constexpr int kSamples = 48 * 240;

enum Shape { kConstant, kCounter, kGauge, kJitteredCounter };

std::vector<tsdb::EncodedChunk> MakeSeries(int64_t shape) {
  std::mt19937_64 random(7);
  Samples samples;
  double value = 1000;
  for (int i = 0; i < kSamples; ++i) {
    int64_t jitter = shape == kJitteredCounter ? static_cast<int64_t>(random() % 11) - 5 : 0;
    samples.times_ms.push_back(kStartMs + i * int64_t{15'000} + jitter);
    samples.values.push_back(value);
    if (shape == kCounter || shape == kJitteredCounter) value = random() % 5000 == 0 ? 0 : value + random() % 100;
    if (shape == kGauge) value += static_cast<double>(random() % 1000) / 1000 - 0.5;
  }
  std::vector<tsdb::EncodedChunk> chunks;
  tsdb::EncodeSamples(samples, 120, &chunks);
  return chunks;
}

std::vector<TimedChunk> Views(const std::vector<tsdb::EncodedChunk>& chunks) {
  std::vector<TimedChunk> views;
  for (const auto& chunk : chunks) views.push_back({chunk.mint_ms, chunk.maxt_ms, chunk.view()});
  return views;
}

void BM_Downsample(benchmark::State& state) {
  auto chunks = MakeSeries(state.range(0));
  auto views = Views(chunks);
  SeriesDownsampler downsampler(0, kFiveMinutesMs);
  std::vector<tsdb::EncodedChunk> made;
  for (auto _ : state) {
    made.clear();
    GN_CHECK(downsampler.Downsample(views, &made).ok());
    benchmark::DoNotOptimize(made.data());
  }
  state.SetItemsProcessed(state.iterations() * kSamples);
}
BENCHMARK(BM_Downsample)->DenseRange(kConstant, kJitteredCounter);

void BM_Decode(benchmark::State& state) {
  auto chunks = MakeSeries(state.range(0));
  Samples samples;
  for (auto _ : state) {
    samples.Clear();
    for (const auto& chunk : chunks) GN_CHECK(tsdb::DecodeChunk(chunk.view(), &samples).ok());
    benchmark::DoNotOptimize(samples.values.data());
  }
  state.SetItemsProcessed(state.iterations() * kSamples);
}
BENCHMARK(BM_Decode)->DenseRange(kConstant, kJitteredCounter);

void BM_DownsampleToHours(benchmark::State& state) {
  auto chunks = MakeSeries(state.range(0));
  std::vector<tsdb::EncodedChunk> five, made;
  GN_CHECK(SeriesDownsampler(0, kFiveMinutesMs).Downsample(Views(chunks), &five).ok());
  auto views = Views(five);
  SeriesDownsampler downsampler(kFiveMinutesMs, kHourMs);
  for (auto _ : state) {
    made.clear();
    GN_CHECK(downsampler.Downsample(views, &made).ok());
    benchmark::DoNotOptimize(made.data());
  }
  state.SetItemsProcessed(state.iterations() * kSamples);
}
BENCHMARK(BM_DownsampleToHours)->Arg(kCounter);

}  // namespace
}  // namespace gauntlet::downsample
