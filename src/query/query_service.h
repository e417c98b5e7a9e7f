// QueryServer: PromQL answered over gRPC, so that queriers stack and frontends skip JSON.
//
// Upstream: thanos pkg/api/query/grpc.go
// Threads:  thread-safe.

#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "promql/engine/engine.h"
#include "query/data_source.h"
#include "rpc/query.h"
#include "server/gate.h"

namespace gauntlet::query {

struct QueryServerOptions {
  std::vector<std::string> replica_labels;  // where a request names none
  dedup::Algorithm algorithm = dedup::Algorithm::kPenalty;
  size_t concurrent_selects_max = 4;
  int64_t lookback_delta_ms = 5 * 60 * 1000;
  std::chrono::milliseconds timeout{std::chrono::minutes(2)};
};

class QueryServer : public rpc::QueryService {
 public:
  // Engine and gate are borrowed.
  QueryServer(QueryServerOptions options, promql::Engine& engine, DataSource source, LeafSource leaves,
              server::Gate& gate)
      : options_(std::move(options)),
        engine_(engine),
        source_(std::move(source)),
        leaves_(std::move(leaves)),
        gate_(gate) {}

  net::GrpcStatus Query(const rpc::InstantQuery& query, rpc::QuerySink& out, const rpc::CallContext& context) override;
  net::GrpcStatus QueryRange(const rpc::RangeQuery& query, rpc::QuerySink& out,
                             const rpc::CallContext& context) override;

 private:
  SelectScope ScopeOf(const rpc::QueryOptions& query, const rpc::CallContext& context) const;
  promql::QueryOptions OptionsOf(const rpc::QueryOptions& query, promql::RemoteEvaluator* leaves) const;
  net::GrpcStatus Answer(promql::Query& query, const rpc::QueryOptions& options, bool warn_on_error,
                         rpc::QuerySink& out, const Cancel& cancel);

  const QueryServerOptions options_;
  promql::Engine& engine_;
  const DataSource source_;
  const LeafSource leaves_;
  server::Gate& gate_;
};

}  // namespace gauntlet::query
