#include "query/query_service.h"

#include <algorithm>
#include <utility>

namespace gauntlet::query {
namespace {

// A row's points as samples.
Samples SamplesOf(const promql::Row& row, const promql::StepGrid& grid) {
  Samples samples;
  const promql::Column& column = row.column;
  size_t next = 0;
  auto add_histograms_before = [&](uint32_t step) {
    for (; next < column.histograms().size() && column.histograms()[next].step < step; ++next) {
      const promql::HistogramPoint& point = column.histograms()[next];
      samples.histograms.push_back({static_cast<uint32_t>(samples.times_ms.size()), *point.histogram});
      // Of whole counts or not: what is computed may have any.
      samples.histograms.back().histogram.is_float = true;
      samples.times_ms.push_back(grid.time_ms(point.step));
      samples.values.push_back(0);
    }
  };
  promql::ForEachBit(column.present(), column.words(), [&](uint32_t step) {
    add_histograms_before(step);
    samples.times_ms.push_back(grid.time_ms(step));
    samples.values.push_back(column.values()[step]);
  });
  add_histograms_before(UINT32_MAX);
  return samples;
}

Status SendResult(const promql::QueryResult& result, rpc::QuerySink& out) {
  switch (result.type) {
    case promql::ValueType::kScalar: {
      Samples samples;
      samples.times_ms = {result.grid.time_ms(0)};
      samples.values = {result.scalar};
      return out.Series(LabelsView(), samples);
    }
    case promql::ValueType::kVector:
    case promql::ValueType::kMatrix:
      for (const promql::RawSeries& series : result.matrix) GN_TRY(out.Series(series.labels, series.samples));
      for (const promql::Row& row : result.rows) GN_TRY(out.Series(row.labels, SamplesOf(row, result.grid)));
      return Status();
    default:
      return Status(Code::kUnsupported, "results of type string have no form in the Query API");
  }
}

}  // namespace

SelectScope QueryServer::ScopeOf(const rpc::QueryOptions& query, const rpc::CallContext& context) const {
  SelectScope scope;
  scope.deduplicate = query.enable_dedup;
  scope.replica_labels = query.replica_labels.empty() ? options_.replica_labels : query.replica_labels;
  scope.algorithm = options_.algorithm;
  scope.store_matchers = query.store_matchers;
  scope.partial_response = query.enable_partial_response ? wire::PartialResponse::kWarn : wire::PartialResponse::kAbort;
  scope.max_resolution_ms = query.max_resolution_seconds * 1000;
  scope.shard = query.shard;
  scope.skip_chunks = query.skip_chunks;
  scope.concurrent_selects_max = options_.concurrent_selects_max;
  scope.tenant = context.tenant;
  scope.request_id = context.request_id;
  scope.trace = context.trace;
  return scope;
}

promql::QueryOptions QueryServer::OptionsOf(const rpc::QueryOptions& query, promql::RemoteEvaluator* leaves) const {
  promql::QueryOptions options;
  options.remote = leaves;
  options.lookback_delta_ms =
      query.lookback_delta_seconds > 0 ? query.lookback_delta_seconds * 1000 : options_.lookback_delta_ms;
  options.timeout = std::chrono::seconds(query.timeout_seconds);
  options.windows = query.max_resolution_seconds > 0;
  return options;
}

net::GrpcStatus QueryServer::Query(const rpc::InstantQuery& query, rpc::QuerySink& out,
                                   const rpc::CallContext& context) {
  const SelectScope scope = ScopeOf(query, context);
  std::unique_ptr<storage::Queryable> storage = source_(scope, nullptr);
  std::unique_ptr<promql::RemoteEvaluator> leaves = leaves_ ? leaves_(scope) : nullptr;
  int64_t time_ms = query.time_seconds > 0 ? query.time_seconds * 1000 : SystemClock().NowMs();
  auto prepared = engine_.NewInstantQuery(*storage, OptionsOf(query, leaves.get()), query.query, time_ms);
  if (!prepared.ok()) return prepared.status();
  return Answer(**prepared, query, query.enable_partial_response, out, context.cancel);
}

net::GrpcStatus QueryServer::QueryRange(const rpc::RangeQuery& query, rpc::QuerySink& out,
                                        const rpc::CallContext& context) {
  if (query.interval_seconds <= 0) return net::GrpcStatus(net::GrpcCode::kInvalidArgument, "interval must be positive");
  const SelectScope scope = ScopeOf(query, context);
  std::unique_ptr<storage::Queryable> storage = source_(scope, nullptr);
  std::unique_ptr<promql::RemoteEvaluator> leaves = leaves_ ? leaves_(scope) : nullptr;
  auto prepared =
      engine_.NewRangeQuery(*storage, OptionsOf(query, leaves.get()), query.query, query.start_seconds * 1000,
                            query.end_seconds * 1000, query.interval_seconds * 1000);
  if (!prepared.ok()) return prepared.status();
  return Answer(**prepared, query, false, out, context.cancel);
}

net::GrpcStatus QueryServer::Answer(promql::Query& query, const rpc::QueryOptions& options, bool warn_on_error,
                                    rpc::QuerySink& out, const Cancel& cancel) {
  std::chrono::milliseconds timeout = options_.timeout;
  if (options.timeout_seconds > 0)
    timeout = std::min(timeout, std::chrono::milliseconds(std::chrono::seconds(options.timeout_seconds)));
  CancelSource source(cancel, timeout);
  Result<server::Gate::Pass> pass = gate_.Enter(source.cancel());
  if (!pass.ok()) return pass.status();
  promql::QueryResult result = query.Exec(source.cancel());
  for (const auto* messages : {&result.annotations.warnings(), &result.annotations.infos()}) {
    for (const std::string& message : *messages) {
      if (Status st = out.Warning(message); !st.ok()) return st;
    }
  }
  if (!result.status.ok()) {
    // As the original: an instant query that may be partial says its error as a warning.
    if (warn_on_error) return out.Warning(result.status.message());
    return net::GrpcStatus(net::GrpcCode::kAborted, std::string(result.status.message()));
  }
  if (Status st = SendResult(result, out); !st.ok()) return st;
  return out.Statistics({result.stats.total_queryable_samples, result.stats.peak_samples});
}

}  // namespace gauntlet::query
