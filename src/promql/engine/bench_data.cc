#include "promql/engine/bench_data.h"

#include <algorithm>
#include <utility>

#include "promql/engine/engine.h"
#include "tsdb/chunkenc/chunk.h"

namespace gauntlet::promql {
namespace {

constexpr size_t kSamplesPerChunk = 120;

class DataSeries : public storage::Series {
 public:
  DataSeries(const ChunkData::Data& data, int64_t start_ms, int64_t end_ms)
      : data_(data), start_ms_(start_ms), end_ms_(end_ms) {}
  LabelsView labels() const override { return data_.labels; }
  Status Read(Samples* out) const override {
    std::vector<tsdb::ChunkView> views;
    for (const tsdb::EncodedChunk& chunk : data_.chunks) {
      if (chunk.maxt_ms >= start_ms_ && chunk.mint_ms <= end_ms_) views.push_back(chunk.view());
    }
    return tsdb::DecodeChunks(views, start_ms_, end_ms_, out);
  }
  size_t memory_bytes() const override { return 0; }

 private:
  const ChunkData::Data& data_;
  const int64_t start_ms_, end_ms_;
};

class DataSet : public storage::SeriesSet {
 public:
  DataSet(std::vector<const ChunkData::Data*> series, int64_t start_ms, int64_t end_ms)
      : series_(std::move(series)), start_ms_(start_ms), end_ms_(end_ms) {}
  Result<std::unique_ptr<storage::Series>> Next() override {
    if (next_ == series_.size()) return std::unique_ptr<storage::Series>();
    return std::unique_ptr<storage::Series>(std::make_unique<DataSeries>(*series_[next_++], start_ms_, end_ms_));
  }
  const Annotations& annotations() const override { return annotations_; }

 private:
  std::vector<const ChunkData::Data*> series_;
  const int64_t start_ms_, end_ms_;
  size_t next_ = 0;
  Annotations annotations_;
};

}  // namespace

class ChunkData::DataQuerier : public storage::Querier {
 public:
  explicit DataQuerier(const ChunkData& data) : data_(data) {}
  std::unique_ptr<storage::SeriesSet> Select(const storage::SelectHints& hints, std::span<const Matcher> matchers,
                                             const Cancel&, MemoryBudget*) override {
    std::vector<const Data*> found;
    for (const Data& data : data_.series_) {
      if (MatchesAll(matchers, data.labels)) found.push_back(&data);
    }
    return std::make_unique<DataSet>(std::move(found), hints.start_ms, hints.end_ms);
  }
  Result<storage::Strings> LabelNames(std::span<const Matcher>, int64_t, const Cancel&) override {
    return storage::Strings();
  }
  Result<storage::Strings> LabelValues(const std::string&, std::span<const Matcher>, int64_t, const Cancel&) override {
    return storage::Strings();
  }

 private:
  const ChunkData& data_;
};

void ChunkData::Add(Labels labels, const Samples& samples) {
  Data& data = series_.emplace_back();
  data.labels = std::move(labels);
  tsdb::EncodeSamples(samples, kSamplesPerChunk, &data.chunks);
  last_ms_ = std::max(last_ms_, samples.times_ms.back());
}

void ChunkData::Sort() {
  std::sort(series_.begin(), series_.end(),
            [](const Data& a, const Data& b) { return CompareLabels(a.labels, b.labels) < 0; });
}

Result<std::unique_ptr<storage::Querier>> ChunkData::MakeQuerier(int64_t, int64_t) {
  return std::unique_ptr<storage::Querier>(std::make_unique<DataQuerier>(*this));
}

void RunRangeQuery(benchmark::State& state, ChunkData& data, const std::string& expr, const RangeTimes& times,
                   size_t threads) {
  std::unique_ptr<Executor> executor;
  if (threads == 1) {
    executor = std::make_unique<InlineExecutor>();
  } else {
    executor = std::make_unique<ThreadPool>("query", threads);
  }
  EngineOptions options;
  options.max_samples = 0;
  options.experimental_functions = options.extended_range_selectors = true;
  Engine engine(options, *executor, nullptr, SystemClock());
  for (auto _ : state) {
    auto query = engine.NewRangeQuery(data, {}, expr, times.start_ms, times.end_ms, times.step_ms);
    if (!query.ok()) return state.SkipWithError(std::string(query.status().message()).c_str());
    QueryResult result = (*query)->Exec(Cancel());
    if (!result.status.ok()) return state.SkipWithError(std::string(result.status.message()).c_str());
    benchmark::DoNotOptimize(result);
    state.counters["kB"] = static_cast<double>(result.stats.peak_memory_bytes) / 1000;
  }
}

void RegisterQueries(std::span<const Anchor> anchors, std::span<const char* const> others, RunQuery run) {
  for (const Anchor& anchor : anchors) {
    benchmark::RegisterBenchmark(anchor.expr, [anchor, run](benchmark::State& state) {
      run(state, anchor.expr);
      state.counters["prometheus_ms"] = anchor.prometheus_ms;
    })->Unit(benchmark::kMillisecond);
  }
  for (const char* expr : others) {
    benchmark::RegisterBenchmark(expr, [expr, run](benchmark::State& state) {
      run(state, expr);
    })->Unit(benchmark::kMillisecond);
  }
}

}  // namespace gauntlet::promql
