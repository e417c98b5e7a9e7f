#include <benchmark/benchmark.h>

#include <string>

#include "promql/syntax/parser.h"
#include "promql/syntax/printer.h"

namespace gauntlet::promql {
namespace {

constexpr const char* kSmall = "rate(http_requests_total{job=\"api\"}[5m])";
constexpr const char* kDashboard =
    "histogram_quantile(0.99, sum by (le, job) "
    "(rate(http_request_duration_seconds_bucket{job=~\"api-.*\",code!~\"5..\","
    "instance=\"10.0.0.1:8080\"}[5m] offset 1h))) / on (job) group_left (team) "
    "sum without (instance, pod) (increase(http_requests_total[1h:5m] @ start())) > bool 0.5 or vector(0)";

void Parse(benchmark::State& state, std::string_view query) {
  for (auto _ : state) {
    Result<ExprPtr> e = ParseExpr(query);
    if (!e.ok()) state.SkipWithError("does not parse");
    benchmark::DoNotOptimize(e);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(query.size()));
}
BENCHMARK_CAPTURE(Parse, small, kSmall);
BENCHMARK_CAPTURE(Parse, dashboard, kDashboard);

void ParseLong(benchmark::State& state) {
  std::string query = "sum(up{instance=\"h0\"}";
  for (int i = 1; i < 2000; i++) query += " or up{instance=\"h" + std::to_string(i) + "\"}";
  Parse(state, query + ")");
}
BENCHMARK(ParseLong);

void Print(benchmark::State& state) {
  Result<ExprPtr> e = ParseExpr(kDashboard);
  for (auto _ : state) benchmark::DoNotOptimize(ToString(**e));
}
BENCHMARK(Print);

}  // namespace
}  // namespace gauntlet::promql
