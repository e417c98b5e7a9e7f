// Makes blocks to be merged, and merges all blocks of a folder that is a bucket into another one:
//   compact_blocks make DIR SERIES BLOCKS REPLICAS DISTINCT
//   compact_blocks merge FROM TO chain|penalty|penalty-exact
//
// make: BLOCKS blocks of 2 h one after the other, for each of REPLICAS replicas, of the same SERIES series of ten
// labels; a sample each 15 s; counters, gauges, constants and counters that mostly stand still. Replicas scrape at
// their own phase, and cut their chunks elsewhere. Of the chunks of a block, DISTINCT series' are different; the others
// have them again.
// merge: prints bytes of input chunks, input samples, CPU seconds and wall seconds.

#include <fmt/core.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "base/memory_budget.h"
#include "blocks/thanos_meta.h"
#include "blockstream/bucket_sink.h"
#include "blockstream/bucket_source.h"
#include "io/file_system.h"
#include "objstore/filesystem_bucket.h"
#include "tsdb/block/block_writer.h"
#include "tsdb/chunkenc/transcode.h"
#include "tsdb/chunkenc/xor.h"
#include "tsdb/compact/compacted_meta.h"
#include "tsdb/compact/compaction.h"

namespace {

using namespace gauntlet;

constexpr int64_t kBlockMs = 7'200'000, kStepMs = 15'000, kBegin = 1'767'571'200'000;

std::vector<std::pair<std::string, std::string>> LabelsOf(int i) {
  // Ten million and more: the order of the numbers is that of their texts. What changes within a hundred comes last.
  std::string number = std::to_string(10'000'000 + i);
  return {{"__name__", "metric_" + std::to_string(1000 + i / 1000)},
          {"container", "container-" + number.substr(4, 2)},
          {"endpoint", "http-metrics"},
          {"instance", "10.0." + number.substr(0, 6) + ":9100"},
          {"job", "job-" + std::to_string(i / 1000 % 10)},
          {"le", std::to_string(i / 100 % 10)},
          {"namespace", "namespace-" + std::to_string(i / 100 % 40)},
          {"pod", "pod-" + number},
          {"service", "service-" + std::to_string(i % 50)},
          {"zone", "zone-" + std::to_string(i % 3)}};
}

// The chunks of one series of a block.
std::vector<tsdb::EncodedChunk> ChunksOf(int shape, int64_t begin_ms, int64_t phase_ms, size_t first_chunk,
                                         std::mt19937_64& random) {
  std::vector<tsdb::EncodedChunk> chunks;
  tsdb::XorAppender appender;
  double value = static_cast<double>(random() % 1'000'000);
  size_t limit = first_chunk;
  int64_t mint_ms = 0;
  for (int64_t t = begin_ms + phase_ms; t < begin_ms + kBlockMs; t += kStepMs) {
    if (shape < 7) value += static_cast<double>(random() % 50);                                        // a counter
    if (shape >= 7 && shape < 13) value = 50 + static_cast<double>(random() % (1 << 26)) / (1 << 20);  // a gauge
    if (shape >= 17 && random() % 10 == 0) value += 1;  // stands still mostly
    if (appender.count() == 0) mint_ms = t;
    appender.Append(t, value);
    if (appender.count() == limit || t + kStepMs >= begin_ms + kBlockMs) {
      chunks.push_back({tsdb::Encoding::kXor, appender.Release(), mint_ms, t});
      limit = 120;
    }
  }
  return chunks;
}

Status Make(const std::string& dir, int series, int block, int replica, int distinct) {
  blocks::Meta meta;
  meta.block.ulid = Ulid::Make(kBegin + block * kBlockMs);
  meta.block.mint_ms = kBegin + block * kBlockMs;
  meta.block.maxt_ms = meta.block.mint_ms + kBlockMs;
  meta.block.compaction.sources = {meta.block.ulid};
  meta.thanos.labels = {{"cluster", "bench"}, {"replica", std::string(1, static_cast<char>('a' + replica))}};
  meta.thanos.source = blocks::kSidecarSource;
  io::FileSystem& files = io::RealFileSystem();
  GN_ASSIGN(auto writer, tsdb::BlockWriter::Create(files, dir, meta.block));
  {
    std::vector<std::string> symbols;
    for (int i = 0; i < series; ++i) {
      for (auto& [name, value] : LabelsOf(i)) {
        if (i == 0) symbols.push_back(name);
        symbols.push_back(std::move(value));
      }
      if (symbols.size() < 1'000'000 && i + 1 < series) continue;
      std::sort(symbols.begin(), symbols.end());
      symbols.erase(std::unique(symbols.begin(), symbols.end()), symbols.end());
    }
    for (const std::string& symbol : symbols) GN_TRY(writer->AddSymbol(symbol));
  }
  std::mt19937_64 random(static_cast<uint64_t>(block * 16 + replica));
  std::vector<std::vector<tsdb::EncodedChunk>> made;
  for (int i = 0; i < std::min(series, distinct); ++i) {
    int64_t phase = replica * 7'300 + static_cast<int64_t>(i % 50) * 100;
    made.push_back(
        ChunksOf(i % 20, meta.block.mint_ms, phase % kStepMs, 120 - static_cast<size_t>(replica) * 47, random));
  }
  std::vector<tsdb::BlockChunk> chunks;
  for (int i = 0; i < series; ++i) {
    chunks.clear();
    for (const auto& chunk : made[static_cast<size_t>(i % distinct)]) {
      chunks.push_back({chunk.mint_ms, chunk.maxt_ms, chunk.view(), {}});
    }
    GN_TRY(writer->AddSeries(Labels::From(LabelsOf(i)), chunks));
  }
  GN_TRY(writer->Finish());
  meta.block = writer->meta();
  return files.WriteAtomically(writer->dir() + "/meta.json", blocks::FormatMeta(meta));
}

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

Status Merge(const std::string& from, const std::string& to, const std::string& kind) {
  io::FileSystem& files = io::RealFileSystem();
  objstore::FilesystemBucket bucket(files, from), out(files, to);
  ThreadPool io_pool("io", 16), merge_pool("merge", 2);
  Cancel cancel;
  double cpu = CpuSeconds();
  auto begin = std::chrono::steady_clock::now();
  std::vector<tsdb::BlockMeta> metas;
  GN_TRY(bucket.Iter("", {}, cancel, [&](const objstore::ObjectEntry& entry) {
    GN_ASSIGN(std::string text, objstore::ReadObject(bucket, std::string(entry.name) + "meta.json", cancel));
    GN_ASSIGN(blocks::Meta meta, blocks::ParseMeta(text));
    metas.push_back(meta.block);
    return Status();
  }));
  std::sort(metas.begin(), metas.end(), [](const auto& a, const auto& b) {
    return a.mint_ms != b.mint_ms ? a.mint_ms < b.mint_ms : a.ulid < b.ulid;
  });
  MemoryBudget budget("compact", 0);
  blockstream::BucketSourceOptions source_options;
  source_options.Share(bucket, metas.size());
  source_options.ahead = &io_pool;
  source_options.budget = &budget;
  std::vector<std::unique_ptr<tsdb::BlockSource>> sources;
  std::vector<const tsdb::BlockMeta*> views;
  std::vector<Ulid> ids;
  uint64_t chunk_bytes = 0, samples = 0;
  for (const tsdb::BlockMeta& meta : metas) {
    GN_ASSIGN(auto source, blockstream::BucketBlockSource::Open(bucket, meta, source_options, cancel, nullptr));
    chunk_bytes += source->chunk_bytes();
    samples += meta.stats.samples;
    sources.push_back(std::move(source));
    views.push_back(&meta);
    ids.push_back(meta.ulid);
  }
  tsdb::CompactOptions options;
  options.kind = kind == "penalty"         ? tsdb::MergeKind::kPenalty
                 : kind == "penalty-exact" ? tsdb::MergeKind::kPenaltyExact
                                           : tsdb::MergeKind::kChain;
  options.executor = &merge_pool;
  options.budget = &budget;
  blocks::Meta meta;
  meta.block = tsdb::CompactedMeta(views, tsdb::OutputUlid(ids, kind, 0));
  meta.thanos.labels = {{"cluster", "bench"}};
  meta.thanos.source = blocks::kCompactorSource;
  blockstream::BucketSinkOptions sink_options;
  sink_options.scratch_dir = to + "/scratch";
  sink_options.budget = &budget;
  GN_ASSIGN(auto sink,
            blockstream::BucketBlockSink::Create(out, files, io_pool, SystemClock(), meta, sink_options, cancel));
  GN_ASSIGN(auto made, tsdb::CompactBlocks(sources, options, *sink, cancel));
  sink.reset();
  double wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  fmt::print("{} {} {:.3f} {:.3f} {} {}\n", chunk_bytes, samples, CpuSeconds() - cpu, wall,
             made ? made->stats.samples : 0, budget.peak_bytes());
  return Status();
}

Status Run(int argc, char** argv) {
  std::string command = argc > 1 ? argv[1] : "";
  if (command == "make" && argc == 7) {
    int series = std::atoi(argv[3]), blocks = std::atoi(argv[4]), replicas = std::atoi(argv[5]);
    int distinct = std::max(1, std::min(series, std::atoi(argv[6])));
    for (int block = 0; block < blocks; ++block) {
      for (int replica = 0; replica < replicas; ++replica) GN_TRY(Make(argv[2], series, block, replica, distinct));
    }
    return Status();
  }
  if (command == "merge" && argc == 5) return Merge(argv[2], argv[3], argv[4]);
  return {Code::kInvalid, "usage: compact_blocks make DIR SERIES BLOCKS REPLICAS DISTINCT | merge FROM TO KIND"};
}

}  // namespace

int main(int argc, char** argv) {
  Status status = Run(argc, argv);
  if (!status.ok()) fmt::print(stderr, "{}\n", status.message());
  return status.ok() ? 0 : 1;
}
