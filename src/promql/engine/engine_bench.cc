// The expressions and shapes of upstream's BenchmarkRangeQuery: 1,000 steps of 10 s over samples at 10 s; and sum by
// (rate) over many series. Samples lie in memory as chunks, as upstream's in a head. `window/` is what --only window of
// bench/bench_promql.py compares: the same function over a minute and over a day, and the samples of a day decoded.

#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "promql/engine/bench_data.h"

namespace gauntlet::promql {
namespace {

constexpr int64_t kIntervalMs = 10'000;
constexpr size_t kSamplesBefore = 8640;  // a day, for the windows of the first steps

// Counters with a fraction of their own, as upstream's.
Samples MakeSamples(size_t series, size_t count) {
  Samples samples;
  const double fraction = static_cast<double>(series) / 1304;
  for (size_t i = 0; i < count; ++i) {
    samples.times_ms.push_back(static_cast<int64_t>(i) * kIntervalMs);
    samples.values.push_back(static_cast<double>(i) + fraction);
  }
  return samples;
}

std::string Digits(size_t i, int width) {
  char text[16];
  std::snprintf(text, sizeof(text), "%0*zu", width, i);
  return text;
}

ChunkData& SmallData() {
  static ChunkData* data = [] {
    auto* d = new ChunkData();
    size_t series = 0;
    auto add = [&](std::vector<std::pair<std::string, std::string>> labels) {
      d->Add(Labels::From(std::move(labels)), MakeSamples(series++, kSamplesBefore + 2000));
    };
    for (const char* name : {"a", "b"}) {
      for (auto [suffix, count] : {std::pair{"_one", 1}, {"_hundred", 100}}) {
        for (size_t i = 0; i < static_cast<size_t>(count); ++i) {
          add({{"__name__", std::string(name) + suffix}, {"l", std::to_string(i)}});
        }
      }
    }
    for (size_t i = 0; i < 100; ++i) {
      for (const char* le : {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "+Inf"}) {
        add({{"__name__", "h_hundred"}, {"l", std::to_string(i)}, {"le", le}});
      }
    }
    d->Sort();
    return d;
  }();
  return *data;
}

ChunkData& WideData() {
  static ChunkData* data = [] {
    auto* d = new ChunkData();
    for (size_t i = 0; i < 10'000; ++i) {
      d->Add(Labels::From({{"__name__", "requests_total"},
                           {"cluster", "eu-1"},
                           {"code", Digits(i % 5, 3)},
                           {"handler", "/api/v1/" + Digits(i % 50, 2)},
                           {"instance", "10.0.0." + std::to_string(i / 250) + ":8080"},
                           {"job", "api"},
                           {"pod", "api-7d9f-" + Digits(i, 5)}}),
             MakeSamples(i % 1304, 1100));
    }
    d->Sort();
    return d;
  }();
  return *data;
}

// 1,000 steps to the last sample.
void Run(benchmark::State& state, ChunkData& data, const std::string& expr, size_t threads) {
  const int64_t end = data.last_ms();
  RunRangeQuery(state, data, expr, {end - 999 * kIntervalMs, end, kIntervalMs}, threads);
}

void RunSmall(benchmark::State& state, const std::string& expr) { Run(state, SmallData(), expr, 1); }

constexpr Anchor kAnchors[] = {
    {"a_hundred", 3.9},
    {"rate(a_hundred[1m])", 10.1},
    {"rate(a_hundred[1m] smoothed)", 11.6},
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

// A %s stands for the window.
constexpr const char* kWindowed[] = {
    "rate(a_hundred[%s])",
    "increase(a_hundred[%s])",
    "delta(a_hundred[%s])",
    "changes(a_hundred[%s])",
    "resets(a_hundred[%s])",
    "count_over_time(a_hundred[%s])",
    "sum_over_time(a_hundred[%s])",
    "avg_over_time(a_hundred[%s])",
    "min_over_time(a_hundred[%s])",
    "max_over_time(a_hundred[%s])",
    "last_over_time(a_hundred[%s])",
    "present_over_time(a_hundred[%s])",
    "absent_over_time(a_hundred[%s])",
    "quantile_over_time(0.9, a_hundred[%s])",
};

// What both windows have to do beside evaluating: the samples of the longer one, once.
void DecodeDay(benchmark::State& state) {
  ChunkData& data = SmallData();
  const Matcher hundred = Matcher::Equal("__name__", "a_hundred");
  storage::SelectHints hints;
  hints.end_ms = data.last_ms();
  hints.start_ms = hints.end_ms - 999 * kIntervalMs - static_cast<int64_t>(kSamplesBefore) * kIntervalMs + 1;
  Samples samples;
  for (auto _ : state) {
    auto querier = *data.MakeQuerier(hints.start_ms, hints.end_ms);
    auto set = querier->Select(hints, {&hundred, 1}, Cancel(), nullptr);
    while (true) {
      auto series = set->Next();
      if (!series.ok() || *series == nullptr) break;
      samples.Clear();
      if (!(*series)->Read(&samples).ok()) return state.SkipWithError("decode");
      benchmark::DoNotOptimize(samples.values.data());
    }
  }
}

void RegisterWindows() {
  benchmark::RegisterBenchmark("window/decode 1d", DecodeDay)->Unit(benchmark::kMillisecond);
  for (const char* form : kWindowed) {
    for (const char* window : {"1m", "1d"}) {
      std::string expr = form;
      expr.replace(expr.find("%s"), 2, window);
      benchmark::RegisterBenchmark(("window/" + expr).c_str(), [expr](benchmark::State& state) {
        RunSmall(state, expr);
      })->Unit(benchmark::kMillisecond);
    }
  }
}

void RegisterAll() {
  RegisterWindows();
  RegisterQueries(kAnchors, kOthers, RunSmall);
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
