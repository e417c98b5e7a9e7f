#include <benchmark/benchmark.h>

#include <string>

#include "json/reader.h"
#include "json/writer.h"

namespace gauntlet::json {
namespace {

// A matrix row of 240 samples, as /api/v1/query_range writes it. Items are samples.
void WriteSamples(benchmark::State& state, double scale) {
  std::string out;
  for (auto _ : state) {
    out.clear();
    Writer w(&out);
    w.BeginArray();
    for (int64_t i = 0; i < 240; ++i) w.ApiSample(1'700'000'000'000 + i * 15'000, static_cast<double>(i * 37) * scale);
    w.EndArray();
    benchmark::DoNotOptimize(out.data());
  }
  state.SetItemsProcessed(state.iterations() * 240);
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(out.size()));
}
BENCHMARK_CAPTURE(WriteSamples, integers, 1.0);
BENCHMARK_CAPTURE(WriteSamples, three_decimals, 0.001);
BENCHMARK_CAPTURE(WriteSamples, full_precision, 0.3333333333333333);

void WriteLabels(benchmark::State& state) {
  std::string out;
  for (auto _ : state) {
    out.clear();
    Writer w(&out);
    w.BeginObject().StringMember("__name__", "http_requests_total").StringMember("instance", "10.20.30.40:9090");
    w.StringMember("job", "node").StringMember("path", "/api/v1/query_range").EndObject();
    benchmark::DoNotOptimize(out.data());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(out.size()));
}
BENCHMARK(WriteLabels);

void Parse(benchmark::State& state) {
  std::string out;
  Writer w(&out);
  w.BeginArray();
  for (int64_t i = 0; i < 10'000; ++i) w.ApiSample(1'700'000'000'000 + i * 15'000, static_cast<double>(i) * 0.37);
  w.EndArray();
  for (auto _ : state) benchmark::DoNotOptimize(Document::Parse(out).ok());
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(out.size()));
}
BENCHMARK(Parse);

}  // namespace
}  // namespace gauntlet::json
