// QuerySettings: the querier's flags that decide how a request to the API is answered where it does not say so itself.
//
// Threads: immutable.

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "api/parameters.h"
#include "api/store_durations.h"
#include "net/http/message.h"
#include "query/select.h"

namespace gauntlet::api {

struct QuerySettings {
  std::vector<std::string> replica_labels;  // --query.replica-label
  dedup::Algorithm algorithm = dedup::Algorithm::kPenalty;
  bool partial_response = true;
  bool auto_downsampling = false;
  bool downsampled_data = false;          // whether there can be any: then max_source_resolution counts
  int64_t instant_max_resolution_ms = 0;  // --query.instant.default.max_source_resolution
  int64_t default_step_ms = 1000;
  int64_t metadata_range_ms = 0;  // --query.metadata.default-time-range; 0 = all time
  int64_t lookback_delta_ms = 5 * 60 * 1000;
  bool dynamic_lookback_delta = true;
  size_t concurrent_selects_max = 4;
  std::chrono::milliseconds timeout{std::chrono::minutes(2)};
  std::string tenant_label;  // --query.tenant-label-name; used when enforcing
  bool enforce_tenancy = false;
  StoreDurationBuckets store_durations;
};

// The scope of a request's selects: dedup, replicaLabels[], partial_response, storeMatch[], shard_info, and whose it
// is.
query::SelectScope ParseScope(const QuerySettings& settings, const net::HttpRequest& request, Parameters& parameters);

// max_source_resolution: "auto" (step / 5), a duration, or the fallback.
int64_t ParseMaxResolution(Parameters& parameters, int64_t step_ms, int64_t fallback_ms);

}  // namespace gauntlet::api
