// Merging and deduplicating two replicas' answers, frames already in memory, decoding included.

#include <benchmark/benchmark.h>

#include <cmath>
#include <ctime>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "base/executor.h"
#include "query/select.h"
#include "tsdb/chunkenc/transcode.h"
#include "wire/series_writer.h"

namespace gauntlet::query {
namespace {

constexpr int kSeries = 100'000, kSamples = 120;

// Frames of 64 series, as a sidecar sends them.
class FrameStore : public storeapi::Store {
 public:
  explicit FrameStore(int64_t offset_ms) {
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
                                    {"instance", "10.0.0." + std::to_string(i % 250) + ":9100"},
                                    {"job", "web"},
                                    {"namespace", "shop"},
                                    {"pod", "web-" + number},
                                    {"zone", "a"}});
      samples.Clear();
      double value = static_cast<double>(rng() % 1000);
      for (int s = 0; s < kSamples; ++s) {
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

  class Stream : public storeapi::SeriesStream {
   public:
    explicit Stream(const std::vector<std::string>& frames) : frames_(frames) {}
    Result<storeapi::SeriesBatchPtr> Next() override {
      if (next_ == frames_.size()) return storeapi::SeriesBatchPtr();
      GN_ASSIGN(storeapi::ParsedFrame parsed, storeapi::ParseFrame(frames_[next_++]));
      return std::move(parsed.series);
    }

   private:
    const std::vector<std::string>& frames_;
    size_t next_ = 0;
  };

  std::unique_ptr<storeapi::SeriesStream> Series(const storeapi::SeriesRequest&,
                                                 const storeapi::CallContext&) override {
    return std::make_unique<Stream>(frames_);
  }
  Result<storeapi::LabelsAnswer> LabelNames(const storeapi::LabelsRequest&, const storeapi::CallContext&) override {
    return storeapi::LabelsAnswer();
  }
  Result<storeapi::LabelsAnswer> LabelValues(const storeapi::LabelsRequest&, const storeapi::CallContext&) override {
    return storeapi::LabelsAnswer();
  }

 private:
  std::vector<std::string> frames_;
};

double CpuSeconds() {
  timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

void BM_MergeReplicas(benchmark::State& state, dedup::Algorithm algorithm) {
  static std::vector<storeapi::EndpointPtr> endpoints = [] {
    std::vector<storeapi::EndpointPtr> made;
    for (int64_t offset : {0, 7000}) {
      auto endpoint = std::make_shared<storeapi::Endpoint>();
      endpoint->address = "replica-" + std::to_string(offset);
      endpoint->store = std::make_shared<FrameStore>(offset);
      endpoint->supports_without_replica_labels = endpoint->supports_sharding = true;
      made.push_back(std::move(endpoint));
    }
    return made;
  }();
  ThreadPool pool("bench", 4);
  storeapi::Proxy proxy({}, [] { return endpoints; }, pool, telemetry::Logger::Discard());
  SelectScope scope;
  scope.replica_labels = {"replica"};
  scope.algorithm = algorithm;
  double cpu = 0, series = 0, samples = 0;
  Samples out;
  for (auto _ : state) {
    double begin = CpuSeconds();
    StoreQueryable queryable(proxy, scope);
    auto querier = queryable.MakeQuerier(0, INT64_MAX);
    storage::SelectHints hints;
    hints.end_ms = INT64_MAX;
    auto set =
        (*querier)->Select(hints, Matchers{Matcher::Equal("__name__", "http_requests_total")}, Cancel(), nullptr);
    while (true) {
      auto one = set->Next();
      if (!one.ok() || *one == nullptr) break;
      out.Clear();
      if (!(*one)->Read(&out).ok()) state.SkipWithError("read");
      benchmark::DoNotOptimize(out.values.data());
    }
    cpu += CpuSeconds() - begin;
    series += 2.0 * kSeries;
    samples += 2.0 * kSeries * kSamples;
  }
  // Per second of processor time, all threads together.
  state.counters["series"] = series / cpu;
  state.counters["samples"] = samples / cpu;
}

BENCHMARK_CAPTURE(BM_MergeReplicas, penalty, dedup::Algorithm::kPenalty)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_MergeReplicas, chain, dedup::Algorithm::kChain)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_MergeReplicas, stitch, dedup::Algorithm::kStitch)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace gauntlet::query
