// Handlers of /api/v1/query, query_range, format_query and parse_query.
//
// Upstream: thanos pkg/api/query/v1.go
// Threads:  thread-safe.

#pragma once

#include "api/envelope.h"
#include "api/query_settings.h"
#include "net/http/router.h"
#include "promql/engine/engine.h"
#include "query/data_source.h"
#include "server/gate.h"
#include "telemetry/metrics.h"

namespace gauntlet::api {

class QueryHandlers {
 public:
  // All but the sources borrowed for the handlers' life.
  QueryHandlers(const QuerySettings& settings, promql::Engine& engine, query::DataSource source, server::Gate& gate,
                telemetry::Registry& registry, query::LeafSource leaves = {});
  void Register(net::HttpRouter& router);

 private:
  struct Asked {
    query::SelectScope scope;
    promql::QueryOptions options;
    std::string text;
    int64_t limit = 0;
    bool stats = false, analyze = false;
    bool explain = false;  // the plan is wanted, not the result
  };

  void Instant(const net::HttpRequest& request, const Cancel& cancel, net::HttpReply& reply);
  void Range(const net::HttpRequest& request, const Cancel& cancel, net::HttpReply& reply);
  void Format(const net::HttpRequest& request, net::HttpReply& reply);
  void Parse(const net::HttpRequest& request, net::HttpReply& reply);
  Asked Common(const net::HttpRequest& request, Parameters& parameters);
  int64_t Lookback(int64_t asked_ms, int64_t resolution_ms) const;
  // Enforces tenancy on the expression, when that is on.
  Status Enforce(const net::HttpRequest& request, std::string* text) const;
  void Answer(promql::Query& query, const Asked& asked, query::FanoutReport& report, const Cancel& cancel,
              net::HttpReply& reply);

  const QuerySettings& settings_;
  promql::Engine& engine_;
  const query::DataSource source_;
  const query::LeafSource leaves_;
  server::Gate& gate_;
  telemetry::Histogram& range_seconds_;
  StoreDurations store_durations_;
};

// errorType of an evaluation that failed.
ErrorType EvaluationErrorType(const Status& status);

}  // namespace gauntlet::api
