// Two replicas of a counter, four chunks each, decoded and merged; items are samples of both replicas.
#include <benchmark/benchmark.h>

#include <random>
#include <string>

#include "dedup/merger.h"
#include "tsdb/chunkenc/chunk.h"
#include "tsdb/chunkenc/xor.h"

namespace gauntlet::dedup {
namespace {

constexpr int kChunks = 4, kSeries = 2000, kSamples = 120;

// `missed`: how many scrapes in a thousand are lost.
std::vector<std::string> MakeReplica(std::mt19937_64& random, int64_t phase, unsigned missed) {
  std::vector<std::string> chunks;
  int64_t t = 1767571200000 + phase;
  double v = static_cast<double>(random() % 100000);
  for (int c = 0; c < kChunks; ++c) {
    tsdb::XorAppender appender;
    while (appender.count() < kSamples) {
      t += 15000;
      v += static_cast<double>(random() % 40);
      if (random() % 1000 >= missed) appender.Append(t, v);
    }
    chunks.push_back(appender.Release());
  }
  return chunks;
}

class Source : public ReplicaSource {
 public:
  explicit Source(const std::vector<std::string>* replicas) : replicas_(replicas) {}
  Status Read(size_t replica, Samples* out) override {
    for (const auto& chunk : replicas_[replica]) GN_TRY(tsdb::DecodeChunk({tsdb::Encoding::kXor, chunk}, out));
    return Status();
  }

 private:
  const std::vector<std::string>* replicas_;
};

void BM_Merge(benchmark::State& state) {
  std::mt19937_64 random(1);
  auto missed = static_cast<unsigned>(state.range(1));
  std::vector<std::vector<std::string>> replicas;
  for (int s = 0; s < kSeries; ++s) {
    replicas.push_back(MakeReplica(random, 0, missed));
    replicas.push_back(MakeReplica(random, 7321, missed));
  }
  std::vector<ReplicaInfo> infos(2, ReplicaInfo{0, 1767571200000 + 15000 * kChunks * kSamples, kChunks * kSamples});
  ReplicaMerger merger(static_cast<Algorithm>(state.range(0)), "rate");
  Samples out;
  size_t s = 0;
  for (auto _ : state) {
    Source source(&replicas[2 * s]);
    out.Clear();
    if (!merger.Merge(infos, source, &out).ok()) state.SkipWithError("merge");
    benchmark::DoNotOptimize(out.values.data());
    if (++s == kSeries) s = 0;
  }
  state.SetItemsProcessed(state.iterations() * 2 * kChunks * kSamples);
}
BENCHMARK(BM_Merge)->ArgNames({"algorithm", "missed"})->ArgsProduct({{0, 1, 2}, {0, 10}});

}  // namespace
}  // namespace gauntlet::dedup
