// Upstream's BenchmarkNativeHistograms, a tenth of its series: 2 h in steps of 30 s over native histograms at 15 s, the
// first of each series finer than the others, in chunks.

#include <benchmark/benchmark.h>

#include <string>

#include "promql/engine/bench_data.h"

namespace gauntlet::promql {
namespace {

constexpr int kSeries = 300, kSamples = 500;

Histogram Sample(int i) {
  Histogram h;
  h.is_float = false;
  h.schema = 1;
  h.zero_threshold = 0.001;
  h.zero_count = 2 + i;
  h.count = 12 + 9 * i;
  h.sum = 18.4 * (i + 1);
  h.positive_spans = h.negative_spans = {{0, 2}, {1, 2}};
  const double first = i + 1;
  h.positive_buckets = h.negative_buckets = {first, first + 1, first, first};
  h.reset_hint = i == 1 ? ResetHint::kUnknown : ResetHint::kNotReset;
  return h;
}

Histogram Finer() {
  Histogram h;
  h.is_float = false;
  h.schema = 3;
  h.count = 13;
  h.positive_spans = {{-5, 2}, {2, 3}, {2, 2}};
  h.positive_buckets = {1, 3, 1, 2, 1, 1, 4};
  return h;
}

Histogram Custom(int i) {
  Histogram h;
  h.is_float = false;
  h.schema = kCustomBucketsSchema;
  h.custom_values = {0, 1, 2, 3, 4};
  h.count = 5 + 4 * i;
  h.sum = 18.4 * (i + 1);
  h.positive_spans = {{0, 2}, {1, 2}};
  const double first = i + 1;
  h.positive_buckets = {first, first + 1, first, first};
  h.reset_hint = i == 0 ? ResetHint::kUnknown : ResetHint::kNotReset;
  return h;
}

template <typename Make>
Samples MakeSamples(Make make) {
  Samples samples;
  for (uint32_t i = 0; i < kSamples; ++i) {
    samples.times_ms.push_back(i * 15'000);
    samples.values.push_back(0);
    samples.histograms.push_back({i, make(static_cast<int>(i))});
  }
  return samples;
}

ChunkData& Data() {
  static ChunkData* data = [] {
    auto* d = new ChunkData();
    const Samples exponential = MakeSamples([](int i) { return i == 0 ? Finer() : Sample(i); });
    const Samples custom = MakeSamples(Custom);
    for (int s = 0; s < kSeries; ++s) {
      const std::string number = std::to_string(s);
      d->Add(Labels::From({{"__name__", "native"}, {"foo", "bar"}, {"h", number}}), exponential);
      d->Add(Labels::From({{"__name__", "custom"}, {"foo", "bar"}, {"h", number}}), custom);
    }
    d->Sort();
    return d;
  }();
  return *data;
}

void Run(benchmark::State& state, const std::string& expr) {
  RunRangeQuery(state, Data(), expr, {0, 7'200'000, 30'000});
}

// Prometheus' times are for as many series.
constexpr Anchor kAnchors[] = {
    {"sum(native)", 94},
    {"sum(rate(native[2m]))", 100},
    {"sum(rate(native[20m]))", 140},
    {"histogram_count(sum(rate(native[2m])))", 63},
    {"histogram_count(sum(rate(native[20m])))", 88},
    {"sum(custom)", 190},
    {"sum(rate(custom[2m]))", 110},
};
constexpr const char* kOthers[] = {"native", "histogram_quantile(0.9, native)", "avg_over_time(native[5m])",
                                   "resets(native[5m])"};

const bool kRegistered = (RegisterQueries(kAnchors, kOthers, Run), true);

}  // namespace
}  // namespace gauntlet::promql
