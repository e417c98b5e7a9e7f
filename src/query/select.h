// StoreQueryable: evaluation over StoreAPI: selects become fan-outs, replicas become one series.
//
// Upstream: thanos pkg/query/querier.go
// Threads:  thread-safe, like every Queryable.

#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "dedup/merger.h"
#include "rpc/context.h"
#include "storage/storage.h"
#include "storeapi/proxy.h"
#include "storeapi/request.h"

namespace gauntlet::query {

// What a request to the API says about how its selects are to be done.
struct SelectScope {
  bool deduplicate = true;
  std::vector<std::string> replica_labels;
  dedup::Algorithm algorithm = dedup::Algorithm::kPenalty;
  std::vector<Matchers> store_matchers;  // storeMatch[]
  storeapi::PartialResponse partial_response = storeapi::PartialResponse::kWarn;
  int64_t max_resolution_ms = 0;
  storeapi::ShardInfo shard;
  bool skip_chunks = false;           // labels only: /api/v1/series
  size_t concurrent_selects_max = 4;  // fan-outs of one query under way before they are needed; 0 = all
  std::string tenant, request_id;
  telemetry::SpanContext trace;
};

// The fan-out's context of a scope.
rpc::CallContext ContextOf(const SelectScope& scope, const Cancel& cancel);

// Fan-out of the selects of one query, for `analyze`. Thread-safe.
class FanoutReport {
 public:
  void Add(std::vector<storeapi::FanoutEntry> entries);
  std::vector<storeapi::FanoutEntry> Take();

 private:
  Mutex mutex_;
  std::vector<storeapi::FanoutEntry> entries_ GN_GUARDED_BY(mutex_);
};

// One per query.
class StoreQueryable : public storage::Queryable {
 public:
  // Proxy and report (may be null) are borrowed.
  StoreQueryable(storeapi::Proxy& proxy, SelectScope scope, FanoutReport* report = nullptr);
  Result<std::unique_ptr<storage::Querier>> MakeQuerier(int64_t mint_ms, int64_t maxt_ms) override;

 private:
  storeapi::Proxy& proxy_;
  const SelectScope scope_;
  FanoutReport* const report_;
  const std::shared_ptr<std::atomic<int64_t>> selects_;  // under way
};

}  // namespace gauntlet::query
