#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "base/float_format.h"
#include "model/labels.h"
#include "model/matcher.h"
#include "model/relabel.h"

namespace gauntlet {
namespace {

std::vector<Labels> NodeSeries(size_t count) {
  std::vector<Labels> series;
  for (size_t i = 0; i < count; ++i) {
    series.push_back(Labels::From({{"__name__", "node_cpu_seconds_total"},
                                   {"cpu", std::to_string(i % 64)},
                                   {"instance", "10.20.30." + std::to_string(i / 64) + ":9100"},
                                   {"job", "node"},
                                   {"mode", "system"}}));
  }
  return series;
}

void BM_CompareLabels(benchmark::State& state) {
  auto series = NodeSeries(1024);
  size_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(CompareLabels(series[i & 1023], series[(i + 1) & 1023]));
    ++i;
  }
}
BENCHMARK(BM_CompareLabels);

void BM_IterateLabels(benchmark::State& state) {
  auto series = NodeSeries(1024);
  size_t i = 0;
  for (auto _ : state) {
    size_t bytes = 0;
    for (const Label& label : series[i++ & 1023]) bytes += label.name.size() + label.value.size();
    benchmark::DoNotOptimize(bytes);
  }
}
BENCHMARK(BM_IterateLabels);

void BM_GetLabel(benchmark::State& state) {
  auto series = NodeSeries(1024);
  size_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(series[i++ & 1023].Get("job"));
}
BENCHMARK(BM_GetLabel);

void BM_HashLabels(benchmark::State& state) {
  auto series = NodeSeries(1024);
  size_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(series[i++ & 1023].Hash());
}
BENCHMARK(BM_HashLabels);

void BM_BuilderDropsName(benchmark::State& state) {
  auto series = NodeSeries(1024);
  LabelsBuilder builder;
  size_t i = 0;
  for (auto _ : state) {
    builder.Reset(series[i++ & 1023]);
    builder.Del(kMetricName);
    benchmark::DoNotOptimize(builder.Build());
  }
}
BENCHMARK(BM_BuilderDropsName);

void Match(benchmark::State& state, const char* pattern) {
  Matcher matcher = *Matcher::Make(MatchType::kRegexp, "instance", pattern);
  auto series = NodeSeries(1024);
  size_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(matcher.Matches(series[i++ & 1023].Get("instance")));
}
BENCHMARK_CAPTURE(Match, prefix, "10\\.20\\.30\\..*");
BENCHMARK_CAPTURE(Match, set, "10\\.20\\.30\\.(1|2|3|4):9100");
BENCHMARK_CAPTURE(Match, contains, ".*30\\.1.*");
BENCHMARK_CAPTURE(Match, engine, "10\\.20\\.30\\.[0-9]+:91.0");

void BM_Relabel(benchmark::State& state) {
  Relabeler relabeler =
      *Relabeler::Make({{.source_labels = {"__name__"}, .regex = "go_.*", .action = RelabelAction::kDrop},
                        {.source_labels = {"instance"}, .regex = "([^:]+):.*", .target_label = "host"},
                        {.regex = "tmp_.*", .action = RelabelAction::kLabelDrop}});
  auto series = NodeSeries(1024);
  size_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(relabeler.Apply(series[i++ & 1023]));
}
BENCHMARK(BM_Relabel);

void WriteFloat(benchmark::State& state, double scale) {
  char buffer[kFloatTextMax];
  double v = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(WriteFloatApi(v * scale, buffer));
    v += 17;
  }
}
BENCHMARK_CAPTURE(WriteFloat, integer, 1.0);
BENCHMARK_CAPTURE(WriteFloat, decimal, 0.001);
BENCHMARK_CAPTURE(WriteFloat, full, 0.3333333333333333);

}  // namespace
}  // namespace gauntlet
