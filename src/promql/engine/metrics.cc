#include "promql/engine/metrics.h"

#include "telemetry/metrics.h"

namespace gauntlet::promql {

void SliceMetrics::Observe(double seconds) {
  if (summary_ == nullptr) return;
  summary_->Observe(seconds);
  histogram_->Observe(seconds);
}

EngineMetrics::EngineMetrics(telemetry::Registry* registry, size_t max_concurrent) {
  if (registry == nullptr) return;
  queries_ =
      &registry->MakeGauge("prometheus_engine_queries", "The current number of queries being executed or waiting.");
  registry->MakeGauge("prometheus_engine_queries_concurrent_max", "The max number of concurrent queries.")
      .Set(max_concurrent == 0 ? -1 : static_cast<double>(max_concurrent));
  registry->MakeGauge("prometheus_engine_query_log_enabled", "State of the query log.");
  registry->MakeCounter("prometheus_engine_query_log_failures_total", "The number of query log failures.");
  samples_ = &registry->MakeCounter("prometheus_engine_query_samples_total",
                                    "The total number of samples loaded by all queries (full window per step for "
                                    "range-vector).");
  samples_read_ = &registry->MakeCounter("prometheus_engine_query_samples_read_total",
                                         "The total number of samples read by all queries (only new points per step "
                                         "for range-vector).");
  auto summaries = registry->MakeSummaries("prometheus_engine_query_duration_seconds", "Query timings", {"slice"});
  auto histograms = registry->MakeHistograms("prometheus_engine_query_duration_histogram_seconds",
                                             "The duration of various parts of PromQL query execution.", {"slice"},
                                             {0.01, 0.1, 1, 10});
  auto make = [&](SliceMetrics& slice, const char* name) {
    slice.summary_ = &summaries.With({name});
    slice.histogram_ = &histograms.With({name});
  };
  make(queue, "queue_time");
  make(prepare, "prepare_time");
  make(inner_eval, "inner_eval");
  make(sort, "result_sort");
}

void EngineMetrics::Begin() {
  if (queries_ != nullptr) queries_->Add(1);
}

void EngineMetrics::End(const QueryStats& stats) {
  if (queries_ == nullptr) return;
  queries_->Add(-1);
  samples_->Add(static_cast<double>(stats.total_queryable_samples));
  samples_read_->Add(static_cast<double>(stats.samples_read));
}

}  // namespace gauntlet::promql
