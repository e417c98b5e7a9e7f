// Writes blocks as a bucket has them, of series of a known shape:
//   make_blocks DIR END_MS SERIES HOURS STEP_MS BLOCKS METRIC
// BLOCKS blocks of HOURS each, one after the other, the last one ending at END_MS; the same series in each. Counters
// with small steps, eight labels a series; external labels cluster="bench", replica="a".

#include <fmt/core.h>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "base/ulid.h"
#include "blocks/thanos_meta.h"
#include "io/file_system.h"
#include "tsdb/block/block_writer.h"
#include "tsdb/chunkenc/xor.h"

namespace {

using namespace gauntlet;

constexpr int kSamplesPerChunk = 120;

std::vector<std::pair<std::string, std::string>> LabelsOf(const std::string& metric, int i) {
  // Ten million and more: the order of the numbers is that of their texts.
  std::string number = std::to_string(10'000'000 + i);
  return {{"__name__", metric},
          {"container", "container-" + number.substr(0, 4)},
          {"endpoint", "http-metrics"},
          {"instance", "10.0." + number.substr(0, 6) + ":9100"},
          {"job", "job-" + std::to_string(i / 100'000 % 10)},
          {"pod", "pod-" + number},
          {"service", "service-" + std::to_string(i % 50)},
          {"zone", "zone-" + std::to_string(i % 3)}};
}

Status Write(const std::string& dir, int64_t begin_ms, int64_t end_ms, int series, int64_t step_ms,
             const std::string& metric) {
  tsdb::BlockMeta meta;
  meta.ulid = Ulid::Make(end_ms);
  meta.mint_ms = begin_ms;
  meta.maxt_ms = end_ms;
  meta.compaction.sources = {meta.ulid};
  io::FileSystem& files = io::RealFileSystem();
  GN_ASSIGN(auto writer, tsdb::BlockWriter::Create(files, dir, meta));
  {
    std::vector<std::string> symbols;
    for (int i = 0; i < series; ++i) {
      for (auto& [name, value] : LabelsOf(metric, i)) {
        if (i == 0) symbols.push_back(name);
        if (i == 0 || name == "pod" || i % 1000 == 0 || i < 100 || i % 100 == 0) symbols.push_back(value);
      }
    }
    std::sort(symbols.begin(), symbols.end());
    symbols.erase(std::unique(symbols.begin(), symbols.end()), symbols.end());
    for (const std::string& symbol : symbols) GN_TRY(writer->AddSymbol(symbol));
  }
  std::mt19937_64 rng(static_cast<uint64_t>(begin_ms));
  std::vector<std::string> bytes;
  std::vector<tsdb::BlockChunk> chunks;
  for (int i = 0; i < series; ++i) {
    bytes.clear();
    chunks.clear();
    double value = static_cast<double>(rng() % 1000);
    tsdb::XorAppender appender;
    int64_t first = begin_ms;
    for (int64_t t = begin_ms; t < end_ms; t += step_ms) {
      value += static_cast<double>(rng() % 50);
      if (appender.count() == 0) first = t;
      appender.Append(t, value);
      if (appender.count() == kSamplesPerChunk || t + step_ms >= end_ms) {
        bytes.push_back(appender.Release());
        chunks.push_back({first, t, {tsdb::Encoding::kXor, {}}});
      }
    }
    for (size_t c = 0; c < chunks.size(); ++c) chunks[c].chunk.bytes = bytes[c];
    GN_TRY(writer->AddSeries(Labels::From(LabelsOf(metric, i)), chunks));
  }
  GN_TRY(writer->Finish());
  blocks::Meta full;
  full.block = writer->meta();
  full.thanos.labels = {{"cluster", "bench"}, {"replica", "a"}};
  full.thanos.source = blocks::kSidecarSource;
  fmt::print("{}\n", meta.ulid.ToString());
  return files.WriteAtomically(writer->dir() + "/meta.json", blocks::FormatMeta(full));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 8) {
    fmt::print(stderr, "usage: make_blocks DIR END_MS SERIES HOURS STEP_MS BLOCKS METRIC\n");
    return 2;
  }
  int64_t end_ms = std::atoll(argv[2]), hours = std::atoll(argv[4]), step_ms = std::atoll(argv[5]);
  int series = std::atoi(argv[3]), blocks = std::atoi(argv[6]);
  for (int b = blocks - 1; b >= 0; --b) {
    int64_t end = end_ms - b * hours * 3'600'000;
    Status written = Write(argv[1], end - hours * 3'600'000, end, series, step_ms, argv[7]);
    if (!written.ok()) {
      fmt::print(stderr, "{}\n", written.message());
      return 1;
    }
  }
  return 0;
}
