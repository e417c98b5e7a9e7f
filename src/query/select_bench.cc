// Merging and deduplicating two replicas' answers, frames already in memory, decoding included; with so many samples in
// each series.

#include <benchmark/benchmark.h>

#include <cmath>
#include <ctime>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "base/executor.h"
#include "query/select.h"
#include "tsdb/chunkenc/transcode.h"
#include "wire/series_writer.h"

namespace gauntlet::query {
namespace {

constexpr int kSeries = 100'000;

// Frames of 64 series, as a sidecar sends them.
class FrameStore : public storeapi::Store {
 public:
  FrameStore(int64_t offset_ms, int64_t samples_each) {
    std::mt19937_64 rng(static_cast<uint64_t>(offset_ms) + 1);
    wire::SeriesBatch batch;
    Samples samples;
    for (int i = 0; i < kSeries; ++i) {
      std::string number = std::to_string(1'000'000 + i);
      Labels labels = Labels::From({{"__name__", "http_requests_total"},
                                    {"cluster", "eu-west"},
                                    {"code", "200"},
                                    {"container", "web"},
                                    {"handler", "/api/v1/query"},
                                    {"instance", "10.0." + std::to_string(1000 + i / 250) + ".7:9100"},
                                    {"job", "web"},
                                    {"namespace", "shop"},
                                    {"pod", "web-" + number},
                                    {"zone", "a"}});
      samples.Clear();
      double value = static_cast<double>(rng() % 1000);
      for (int64_t s = 0; s < samples_each; ++s) {
        samples.times_ms.push_back(1'767'571'200'000 + s * 15'000 + offset_ms);
        samples.values.push_back(value += static_cast<double>(rng() % 50));
      }
      std::vector<tsdb::EncodedChunk> encoded;
      tsdb::EncodeSamples(samples, 120, &encoded);
      std::vector<wire::ChunkView> views;
      for (const auto& chunk : encoded) {
        wire::ChunkView view;
        view.min_time_ms = chunk.mint_ms;
        view.max_time_ms = chunk.maxt_ms;
        view.data = chunk.bytes;
        view.encoding = static_cast<uint8_t>(chunk.encoding);
        views.push_back(view);
      }
      batch.Add(labels, views);
      if (batch.series() == 64 || i + 1 == kSeries) {
        frames_.emplace_back(batch.Frame());
        batch.Clear();
      }
    }
  }

  // Takes its frames away, as they come from the network.
  class Stream : public storeapi::SeriesStream {
   public:
    explicit Stream(std::vector<std::string> frames) : frames_(std::move(frames)) {}
    Result<storeapi::SeriesBatchPtr> Next() override {
      if (next_ == frames_.size()) return storeapi::SeriesBatchPtr();
      GN_ASSIGN(storeapi::ParsedFrame parsed, storeapi::ParseFrame(std::move(frames_[next_++])));
      return std::move(parsed.series);
    }

   private:
    std::vector<std::string> frames_;
    size_t next_ = 0;
  };

  // Puts the frames for one answer into memory.
  void Receive() { received_ = frames_; }

  std::unique_ptr<storeapi::SeriesStream> Series(const storeapi::SeriesRequest&,
                                                 const storeapi::CallContext&) override {
    return std::make_unique<Stream>(std::exchange(received_, {}));
  }
  Result<storeapi::LabelsAnswer> LabelNames(const storeapi::LabelsRequest&, const storeapi::CallContext&) override {
    return storeapi::LabelsAnswer();
  }
  Result<storeapi::LabelsAnswer> LabelValues(const storeapi::LabelsRequest&, const storeapi::CallContext&) override {
    return storeapi::LabelsAnswer();
  }

 private:
  std::vector<std::string> frames_, received_;
};

double CpuSeconds() {
  timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

void BM_MergeReplicas(benchmark::State& state, dedup::Algorithm algorithm) {
  static std::map<int64_t, std::vector<storeapi::EndpointPtr>> all;
  int64_t samples_each = state.range(0);
  std::vector<storeapi::EndpointPtr>& endpoints = all[samples_each];
  if (endpoints.empty()) {
    for (int64_t offset : {0, 7000}) {
      auto endpoint = std::make_shared<storeapi::Endpoint>();
      endpoint->address = "replica-" + std::to_string(offset);
      endpoint->store = std::make_shared<FrameStore>(offset, samples_each);
      endpoint->supports_without_replica_labels = endpoint->supports_sharding = true;
      endpoints.push_back(std::move(endpoint));
    }
  }
  ThreadPool pool("bench", 4);
  storeapi::Proxy proxy({}, [&endpoints] { return endpoints; }, pool, telemetry::Logger::Discard());
  SelectScope scope;
  scope.replica_labels = {"replica"};
  scope.algorithm = algorithm;
  double cpu = 0, series = 0, samples = 0;
  Samples out;
  for (auto _ : state) {
    for (const auto& endpoint : endpoints) static_cast<FrameStore&>(*endpoint->store).Receive();
    double begin = CpuSeconds();
    StoreQueryable queryable(proxy, scope);
    auto querier = queryable.MakeQuerier(0, INT64_MAX);
    storage::SelectHints hints;
    hints.end_ms = INT64_MAX;
    auto set =
        (*querier)->Select(hints, Matchers{Matcher::Equal("__name__", "http_requests_total")}, Cancel(), nullptr);
    int merged = 0;
    while (true) {
      auto one = set->Next();
      if (!one.ok() || *one == nullptr) break;
      ++merged;
      out.Clear();
      if (!(*one)->Read(&out).ok()) state.SkipWithError("read");
      benchmark::DoNotOptimize(out.values.data());
    }
    cpu += CpuSeconds() - begin;
    if (merged != kSeries) state.SkipWithError("replicas were not merged");
    series += 2.0 * kSeries;
    samples += 2.0 * kSeries * static_cast<double>(samples_each);
  }
  // Per second of processor time, all threads together.
  state.counters["series"] = series / cpu;
  state.counters["samples"] = samples / cpu;
}

BENCHMARK_CAPTURE(BM_MergeReplicas, penalty, dedup::Algorithm::kPenalty)
    ->Arg(60)
    ->Arg(120)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_MergeReplicas, chain, dedup::Algorithm::kChain)->Arg(60)->Arg(120)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_MergeReplicas, stitch, dedup::Algorithm::kStitch)
    ->Arg(60)
    ->Arg(120)
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace gauntlet::query
