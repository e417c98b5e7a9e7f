// Reading of a block of many series: labels and chunks of all of them, as a store gateway needs them, and label values.
// GAUNTLET_BENCH_SERIES (default 2,000) and GAUNTLET_BENCH_HOURS (24) set its size; samples are 15 s apart.

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "base/check.h"
#include "tsdb/block/block.h"
#include "tsdb/block/block_writer.h"
#include "tsdb/chunkenc/xor.h"

namespace gauntlet::tsdb {
namespace {

constexpr int64_t kStepMs = 15000;

int FromEnvironment(const char* name, int otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::atoi(text) : otherwise;
}
int SeriesCount() { return FromEnvironment("GAUNTLET_BENCH_SERIES", 2000); }
int64_t SpanMs() { return FromEnvironment("GAUNTLET_BENCH_HOURS", 24) * int64_t{3600000}; }

std::string Path() {
  return (std::filesystem::temp_directory_path() / fmt::format("gauntlet-block-{}-{}", SeriesCount(), SpanMs()))
      .string();
}

Labels SeriesLabels(int i) {
  return Labels::From({{"__name__", "http_request_duration_seconds_bucket"},
                       {"cluster", "eu-west-1"},
                       {"instance", fmt::format("10.0.{}.{}:9100", i / 250 % 250, i % 250)},
                       {"job", fmt::format("service-{:02}", i % 40)},
                       {"namespace", fmt::format("namespace-{:03}", i % 100)},
                       {"pod", fmt::format("pod-{:08}", i)}});
}

// Every series has the same chunks, so that making the block is quick: reading does not know.
void MakeBlock(const std::string& dir) {
  io::FileSystem& files = io::RealFileSystem();
  BlockMeta meta;
  meta.ulid = *Ulid::Parse("01KE71A6NAEME8ZS7DDWKWEQAP");
  meta.maxt_ms = SpanMs();
  std::vector<std::string> encoded;
  std::vector<BlockChunk> chunks;
  uint64_t value = 0, random = 88172645463325252ULL;
  XorAppender appender;
  for (int64_t t = 0; t < meta.maxt_ms; t += kStepMs) {
    random ^= random << 13, random ^= random >> 7, random ^= random << 17;
    appender.Append(t + static_cast<int64_t>(random % 5), static_cast<double>(value += random % 100));
    if (appender.count() == 120 || t + kStepMs >= meta.maxt_ms) {
      auto n = static_cast<int64_t>(appender.count());
      chunks.push_back({t - (n - 1) * kStepMs, t + 5, {}});
      encoded.push_back(appender.Release());
    }
  }
  for (size_t i = 0; i < chunks.size(); ++i) chunks[i].chunk = {Encoding::kXor, encoded[i]};
  GN_CHECK(files.MakeDirectories(dir).ok());
  auto writer = BlockWriter::Create(files, dir, meta);
  GN_CHECK(writer.ok());
  std::vector<Labels> series;
  std::vector<std::string> symbols;
  for (int i = 0; i < SeriesCount(); ++i) {
    series.push_back(SeriesLabels(i));
    for (const Label& label : series.back()) {
      symbols.emplace_back(label.name);
      symbols.emplace_back(label.value);
    }
  }
  std::sort(series.begin(), series.end());
  std::sort(symbols.begin(), symbols.end());
  symbols.erase(std::unique(symbols.begin(), symbols.end()), symbols.end());
  for (const auto& symbol : symbols) GN_CHECK((*writer)->AddSymbol(symbol).ok());
  for (const Labels& labels : series) GN_CHECK((*writer)->AddSeries(labels, chunks).ok());
  GN_CHECK((*writer)->Finish().ok());
}

const Block& TheBlock() {
  static const auto* block = [] {
    std::string dir = Path(), ulid = "/01KE71A6NAEME8ZS7DDWKWEQAP";
    if (!std::filesystem::exists(dir + ulid)) MakeBlock(dir);
    auto opened = Block::Open(io::RealFileSystem(), dir + ulid);
    GN_CHECK(opened.ok());
    return new std::shared_ptr<const Block>(*opened);
  }();
  return **block;
}

// Labels, chunk places and the bytes of the chunks with their checksums: what Series answers are made of.
void BM_SeriesAndChunks(benchmark::State& state) {
  const Block& block = TheBlock();
  uint64_t bytes = 0, series = 0;
  for (auto _ : state) {
    BlockSeries walk(block, *block.Select({}, Cancel()), 0, SpanMs());
    while (*walk.Next()) {
      ++series;
      for (const ChunkMeta& meta : walk.chunks()) bytes += block.chunks().Read(meta.ref)->bytes.size();
    }
  }
  state.SetBytesProcessed(static_cast<int64_t>(bytes));
  state.SetItemsProcessed(static_cast<int64_t>(series));
}
BENCHMARK(BM_SeriesAndChunks)->Unit(benchmark::kMillisecond);

void BM_LabelsOnly(benchmark::State& state) {
  const Block& block = TheBlock();
  uint64_t series = 0;
  for (auto _ : state) {
    BlockSeries walk(block, *block.Select({}, Cancel()), 0, 0);
    while (*walk.Next()) ++series;
  }
  state.SetItemsProcessed(static_cast<int64_t>(series));
}
BENCHMARK(BM_LabelsOnly)->Unit(benchmark::kMillisecond);

void BM_SelectByRegexAndEqual(benchmark::State& state) {
  const Block& block = TheBlock();
  Matchers matchers = {Matcher::Equal("job", "service-07"), *Matcher::Make(MatchType::kRegexp, "pod", "pod-.*[05]"),
                       *Matcher::Make(MatchType::kNotEqual, "namespace", "namespace-007")};
  for (auto _ : state) benchmark::DoNotOptimize(DrainPostings(**block.Select(matchers, Cancel())).size());
}
BENCHMARK(BM_SelectByRegexAndEqual)->Unit(benchmark::kMillisecond);

void BM_LabelValuesLimited(benchmark::State& state) {
  const Block& block = TheBlock();
  for (auto _ : state) benchmark::DoNotOptimize(block.LabelValues("pod", {}, 1000, Cancel())->size());
}
BENCHMARK(BM_LabelValuesLimited)->Unit(benchmark::kMillisecond);

void BM_LabelValuesOfASelection(benchmark::State& state) {
  const Block& block = TheBlock();
  Matchers matchers = {Matcher::Equal("job", "service-07")};
  for (auto _ : state) benchmark::DoNotOptimize(block.LabelValues("pod", matchers, 1000, Cancel())->size());
}
BENCHMARK(BM_LabelValuesOfASelection)->Unit(benchmark::kMillisecond);

void BM_OpenIndex(benchmark::State& state) {
  TheBlock();
  for (auto _ : state) {
    auto reader = IndexReader::Open(io::RealFileSystem(), Path() + "/01KE71A6NAEME8ZS7DDWKWEQAP/index");
    GN_CHECK(reader.ok());
    state.counters["memory"] =
        static_cast<double>((*reader)->symbols().memory_bytes() + (*reader)->table().memory_bytes());
  }
}
BENCHMARK(BM_OpenIndex)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace gauntlet::tsdb
