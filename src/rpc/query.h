// Query: a whole expression evaluated by the endpoint: distributed mode, and rule's queriers over gRPC.
//
// Format:  proto/thanos/query.proto      Upstream: thanos pkg/api/query (grpc.go), querypb
// Threads: services are called from many threads at once; a QuerySink belongs to one; the rest are values.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "model/labels.h"
#include "model/matcher.h"
#include "model/samples.h"
#include "rpc/context.h"
#include "rpc/method.h"
#include "wire/store_request.h"

namespace gauntlet::rpc {

enum class QueryEngine : uint8_t { kDefault, kPrometheus, kThanos };

// What instant and range queries share. Times on the wire are whole seconds.
struct QueryOptions {
  std::string query;
  std::string plan_json;  // a logical plan instead of the query's text; "" = none
  int64_t timeout_seconds = 0, max_resolution_seconds = 0, lookback_delta_seconds = 0;
  std::vector<std::string> replica_labels;
  std::vector<Matchers> store_matchers;
  bool enable_dedup = false, enable_partial_response = false, skip_chunks = false;
  wire::ShardInfo shard;
  QueryEngine engine = QueryEngine::kDefault;
  int64_t batch_size = 0;  // series in a frame; 0 and 1 = no batches
};

struct InstantQuery : QueryOptions {
  int64_t time_seconds = 0;
};

struct RangeQuery : QueryOptions {
  int64_t start_seconds = 0, end_seconds = 0, interval_seconds = 0;
};

struct QueryStatistics {
  int64_t samples_total = 0, peak_samples = 0;
  bool operator==(const QueryStatistics&) const = default;
};

// Where a query's answer goes. An error means that nobody listens: stop, return it.
class QuerySink {
 public:
  virtual ~QuerySink() = default;
  // A scalar comes as a series without labels.
  virtual Status Series(LabelsView labels, const Samples& samples) = 0;
  virtual Status Warning(std::string_view warning) = 0;
  virtual Status Statistics(const QueryStatistics& statistics) = 0;
};

class QueryService {
 public:
  virtual ~QueryService() = default;
  virtual net::GrpcStatus Query(const InstantQuery& query, QuerySink& out, const CallContext& context) = 0;
  virtual net::GrpcStatus QueryRange(const RangeQuery& query, QuerySink& out, const CallContext& context) = 0;
};

void RegisterQuery(QueryService& service, MethodMap* methods);
std::unique_ptr<QueryService> MakeQueryClient(net::GrpcChannel& channel);  // `channel` must outlive it

}  // namespace gauntlet::rpc
