// The expressions and shapes of upstream's BenchmarkRangeQuery: 1,000 steps of 10 s over samples at 10 s; and sum by
// (rate) over many series. Samples lie decoded in memory: this is what evaluation costs beyond decoding.

#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "promql/engine/engine.h"
#include "storage/storage.h"

namespace gauntlet::promql {
namespace {

constexpr int64_t kIntervalMs = 10'000;
constexpr size_t kSamplesBefore = 8640;  // a day, for the windows of the first steps

struct Data {
  Labels labels;
  std::vector<double> values;
};

class MemorySeries : public storage::Series {
 public:
  MemorySeries(const Data& data, const std::vector<int64_t>& times, int64_t start_ms, int64_t end_ms) : data_(data) {
    begin_ = static_cast<size_t>(std::lower_bound(times.begin(), times.end(), start_ms) - times.begin());
    end_ = static_cast<size_t>(std::upper_bound(times.begin(), times.end(), end_ms) - times.begin());
    times_ = &times;
  }
  LabelsView labels() const override { return data_.labels; }
  Status Read(Samples* out) const override {
    out->times_ms.insert(out->times_ms.end(), times_->begin() + static_cast<long>(begin_),
                         times_->begin() + static_cast<long>(end_));
    out->values.insert(out->values.end(), data_.values.begin() + static_cast<long>(begin_),
                       data_.values.begin() + static_cast<long>(end_));
    return Status();
  }
  size_t memory_bytes() const override { return 0; }

 private:
  const Data& data_;
  const std::vector<int64_t>* times_;
  size_t begin_, end_;
};

class MemorySet : public storage::SeriesSet {
 public:
  MemorySet(std::vector<const Data*> series, const std::vector<int64_t>& times, int64_t start_ms, int64_t end_ms)
      : series_(std::move(series)), times_(times), start_ms_(start_ms), end_ms_(end_ms) {}
  Result<std::unique_ptr<storage::Series>> Next() override {
    if (next_ == series_.size()) return std::unique_ptr<storage::Series>();
    return std::unique_ptr<storage::Series>(
        std::make_unique<MemorySeries>(*series_[next_++], times_, start_ms_, end_ms_));
  }
  const Annotations& annotations() const override { return annotations_; }

 private:
  std::vector<const Data*> series_;
  const std::vector<int64_t>& times_;
  const int64_t start_ms_, end_ms_;
  size_t next_ = 0;
  Annotations annotations_;
};

class MemoryData : public storage::Queryable {
 public:
  explicit MemoryData(size_t samples) {
    for (size_t i = 0; i < samples; ++i) times_.push_back(static_cast<int64_t>(i) * kIntervalMs);
  }

  void Add(std::vector<std::pair<std::string, std::string>> labels) {
    Data& data = series_.emplace_back();
    data.labels = Labels::From(std::move(labels));
    double offset = static_cast<double>(series_.size() % 100) / 100;
    for (size_t i = 0; i < times_.size(); ++i) data.values.push_back(static_cast<double>(i) + offset);
  }
  void Sort() {
    std::sort(series_.begin(), series_.end(),
              [](const Data& a, const Data& b) { return CompareLabels(a.labels, b.labels) < 0; });
  }
  int64_t last_ms() const { return times_.back(); }

  Result<std::unique_ptr<storage::Querier>> MakeQuerier(int64_t, int64_t) override {
    return std::unique_ptr<storage::Querier>(std::make_unique<MemoryQuerier>(*this));
  }

 private:
  class MemoryQuerier : public storage::Querier {
   public:
    explicit MemoryQuerier(const MemoryData& data) : data_(data) {}
    std::unique_ptr<storage::SeriesSet> Select(const storage::SelectHints& hints, std::span<const Matcher> matchers,
                                               const Cancel&, MemoryBudget*) override {
      std::vector<const Data*> found;
      for (const Data& data : data_.series_) {
        if (MatchesAll(matchers, data.labels)) found.push_back(&data);
      }
      return std::make_unique<MemorySet>(std::move(found), data_.times_, hints.start_ms, hints.end_ms);
    }
    Result<storage::Strings> LabelNames(std::span<const Matcher>, int64_t, const Cancel&) override {
      return storage::Strings();
    }
    Result<storage::Strings> LabelValues(const std::string&, std::span<const Matcher>, int64_t,
                                         const Cancel&) override {
      return storage::Strings();
    }

   private:
    const MemoryData& data_;
  };

  std::vector<int64_t> times_;
  std::vector<Data> series_;
};

std::string Digits(size_t i, int width) {
  char text[16];
  std::snprintf(text, sizeof(text), "%0*zu", width, i);
  return text;
}

MemoryData& SmallData() {
  static MemoryData* data = [] {
    auto* d = new MemoryData(kSamplesBefore + 2000);
    for (const char* name : {"a", "b"}) {
      for (auto [suffix, count] : {std::pair{"_one", 1}, {"_hundred", 100}}) {
        for (size_t i = 0; i < static_cast<size_t>(count); ++i) {
          d->Add({{"__name__", std::string(name) + suffix}, {"l", std::to_string(i)}});
        }
      }
    }
    for (size_t i = 0; i < 100; ++i) {
      for (const char* le : {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "+Inf"}) {
        d->Add({{"__name__", "h_hundred"}, {"l", std::to_string(i)}, {"le", le}});
      }
    }
    d->Sort();
    return d;
  }();
  return *data;
}

MemoryData& WideData() {
  static MemoryData* data = [] {
    auto* d = new MemoryData(1100);
    for (size_t i = 0; i < 10'000; ++i) {
      d->Add({{"__name__", "requests_total"},
              {"cluster", "eu-1"},
              {"code", Digits(i % 5, 3)},
              {"handler", "/api/v1/" + Digits(i % 50, 2)},
              {"instance", "10.0.0." + std::to_string(i / 250) + ":8080"},
              {"job", "api"},
              {"pod", "api-7d9f-" + Digits(i, 5)}});
    }
    d->Sort();
    return d;
  }();
  return *data;
}

void Run(benchmark::State& state, MemoryData& data, const std::string& expr, size_t threads) {
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
  int64_t end = data.last_ms();
  for (auto _ : state) {
    auto query = engine.NewRangeQuery(data, {}, expr, end - 999 * kIntervalMs, end, kIntervalMs);
    if (!query.ok()) return state.SkipWithError(std::string(query.status().message()).c_str());
    QueryResult result = (*query)->Exec(Cancel());
    if (!result.status.ok()) return state.SkipWithError(std::string(result.status.message()).c_str());
    benchmark::DoNotOptimize(result);
    state.counters["kB"] = static_cast<double>(result.stats.peak_memory_bytes) / 1000;
  }
}

// Milliseconds that Prometheus 3.14 needs, samples decoded from a head included.
struct Anchor {
  const char* expr;
  double prometheus_ms;
};

constexpr Anchor kAnchors[] = {
    {"a_hundred", 3.9},
    {"rate(a_hundred[1m])", 10.1},
    {"double_exponential_smoothing(a_hundred[1d], 0.3, 0.3)", 3796},
    {"changes(a_hundred[1d])", 4028},
    {"rate(a_hundred[1d])", 1860.3},
    {"absent_over_time(a_hundred[1d])", 178},
    {"-a_hundred", 4},
    {"a_hundred - b_hundred", 18.7},
    {"a_hundred and b_hundred{l=~'.*[0-4]$'}", 9.3},
    {"a_hundred or b_hundred{l=~'.*[0-4]$'}", 11.6},
    {"a_hundred unless b_hundred{l=~'.*[0-4]$'}", 9.4},
    {"a_hundred and b_hundred{l='notfound'}", 5.1},
    {"abs(a_hundred)", 8.6},
    {"label_replace(a_hundred, 'l2', '$1', 'l', '(.*)')", 4.2},
    {"label_join(a_hundred, 'l2', '-', 'l', 'l')", 3.9},
    {"sum(a_hundred)", 4.5},
    {"avg(a_hundred)", 4.5},
    {"sum without (l)(h_hundred)", 63.1},
    {"sum without (le)(h_hundred)", 67.2},
    {"sum by (l)(h_hundred)", 66.1},
    {"sum by (le)(h_hundred)", 63.3},
    {"topk(1, a_hundred)", 5.7},
    {"topk(5, a_hundred)", 6.7},
    {"limitk(1, a_hundred)", 4.3},
    {"limitk(5, a_hundred)", 4.7},
    {"limit_ratio(0.1, a_hundred)", 8.5},
    {"limit_ratio(0.5, a_hundred)", 14.6},
    {"limit_ratio(-0.5, a_hundred)", 14.3},
    {"rate(a_hundred[1m]) + rate(b_hundred[1m])", 30.8},
    {"sum without (l)(rate(a_hundred[1m]))", 10.8},
    {"histogram_quantile(0.9, rate(h_hundred[5m]))", 237.1},
    {"a_hundred + on(l) group_right a_one", 6.2},
    {"timestamp(a_hundred)", 15},
};

constexpr const char* kOthers[] = {
    "sum_over_time(a_hundred[1m])",
    "avg_over_time(a_hundred[1d])",
    "max_over_time(a_hundred[1d])",
    "quantile_over_time(0.9, a_hundred[1m])",
    "quantile_over_time(0.9, a_hundred[1h])",
    "quantile_over_time(0.9, a_hundred[1d])",
    "stddev_over_time(a_hundred[1m])",
    "stddev_over_time(a_hundred[1d])",
    "deriv(a_hundred[5m])",
    "deriv(a_hundred[1d])",
    "predict_linear(a_hundred[1h], 60)",
    "mad_over_time(a_hundred[1h])",
    "resets(a_hundred[1d])",
    "quantile by (le)(0.5, h_hundred)",
    "stddev(a_hundred)",
    "max_over_time(rate(a_hundred[1m])[5m:10s])",
};

constexpr const char* kWide[] = {
    "requests_total",
    "sum(rate(requests_total[1m]))",
    "sum by (handler, code)(rate(requests_total[1m]))",
    "topk(5, rate(requests_total[1m]))",
    "quantile(0.9, requests_total)",
};

void RegisterAll() {
  for (const Anchor& anchor : kAnchors) {
    benchmark::RegisterBenchmark(anchor.expr, [anchor](benchmark::State& state) {
      Run(state, SmallData(), anchor.expr, 1);
      state.counters["prometheus_ms"] = anchor.prometheus_ms;
    })->Unit(benchmark::kMillisecond);
  }
  for (const char* expr : kOthers) {
    benchmark::RegisterBenchmark(expr, [expr](benchmark::State& state) {
      Run(state, SmallData(), expr, 1);
    })->Unit(benchmark::kMillisecond);
  }
  for (size_t threads : {1, 2}) {
    for (const char* expr : kWide) {
      std::string name = std::string("wide/") + std::to_string(threads) + "/" + expr;
      benchmark::RegisterBenchmark(name.c_str(),
                                   [expr, threads](benchmark::State& state) { Run(state, WideData(), expr, threads); })
          ->Unit(benchmark::kMillisecond)
          ->UseRealTime();
    }
  }
}

const bool kRegistered = (RegisterAll(), true);

}  // namespace
}  // namespace gauntlet::promql
