#include <benchmark/benchmark.h>

#include <string>

#include "io/compress.h"
#include "io/crc32c.h"

namespace gauntlet::io {
namespace {

void BM_Crc32c(benchmark::State& state) {
  std::string bytes(static_cast<size_t>(state.range(0)), 'x');
  for (auto _ : state) benchmark::DoNotOptimize(Crc32c(bytes));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_Crc32c)->Arg(32)->Arg(200)->Arg(1000)->Arg(4096)->Arg(32 << 10)->Arg(1 << 20);

void BM_Crc32cByTable(benchmark::State& state) {
  std::string bytes(32 << 10, 'x');
  for (auto _ : state) benchmark::DoNotOptimize(ExtendCrc32cByTable(0, bytes));
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(bytes.size()));
}
BENCHMARK(BM_Crc32cByTable);

std::string Exposition() {
  std::string text;
  for (int i = 0; text.size() < 1 << 20; ++i) {
    text += "http_requests_total{code=\"200\",path=\"/api/" + std::to_string(i % 977) + "\"} " +
            std::to_string(i * 31) + "\n";
  }
  return text;
}

void BM_GzipCompress(benchmark::State& state) {
  std::string text = Exposition();
  for (auto _ : state) benchmark::DoNotOptimize(GzipCompress(text, static_cast<int>(state.range(0))));
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(text.size()));
}
BENCHMARK(BM_GzipCompress)->Arg(1)->Arg(6);

void BM_GzipDecompress(benchmark::State& state) {
  std::string text = Exposition(), packed = GzipCompress(text);
  for (auto _ : state) benchmark::DoNotOptimize(GzipDecompress(packed, 1 << 30).ok());
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(text.size()));
}
BENCHMARK(BM_GzipDecompress);

void BM_SnappyFramed(benchmark::State& state) {
  std::string text = Exposition();
  for (auto _ : state) benchmark::DoNotOptimize(SnappyFramedCompress(text));
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(text.size()));
}
BENCHMARK(BM_SnappyFramed);

void BM_ZstdDecompress(benchmark::State& state) {
  std::string text = Exposition(), packed = ZstdCompress(text), out;
  for (auto _ : state) benchmark::DoNotOptimize(ZstdDecompress(packed, 1 << 30, &out).ok());
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(text.size()));
}
BENCHMARK(BM_ZstdDecompress);

}  // namespace
}  // namespace gauntlet::io
