// Status: cardinality statistics of the databases behind an endpoint, by tenant.
//
// Format:  proto/thanos/status.proto      Upstream: thanos pkg/status
// Threads: services are called from many threads at once; the rest are values.

#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "model/matcher.h"
#include "rpc/context.h"
#include "rpc/method.h"
#include "rpc/stream.h"
#include "wire/store_request.h"

namespace gauntlet::rpc {

struct TsdbStatisticsRequest {
  std::string tenant;  // how old clients choose; "" = by matchers
  int32_t limit = 0;   // entries of each list at most
  wire::PartialResponse partial_response = wire::PartialResponse::kWarn;
  Matchers matchers;  // on external labels
};

struct Statistic {
  std::string name;
  uint64_t value = 0;
  bool operator==(const Statistic&) const = default;
};

struct TsdbStatisticsEntry {
  uint64_t series = 0;
  int64_t label_pairs = 0, chunks = 0, min_time_ms = 0, max_time_ms = 0;
  std::vector<Statistic> series_by_metric_name, values_by_label_name, memory_bytes_by_label_name, series_by_label_pair;
};

using TsdbStatistics = std::map<std::string, TsdbStatisticsEntry>;  // by tenant; "" when there are none

class StatusService {
 public:
  virtual ~StatusService() = default;
  virtual net::GrpcStatus Statistics(const TsdbStatisticsRequest& request, Sink<TsdbStatistics>& out,
                                     const CallContext& context) = 0;
};

void RegisterStatus(StatusService& service, MethodMap* methods);
std::unique_ptr<StatusService> MakeStatusClient(net::GrpcChannel& channel);  // `channel` must outlive it

}  // namespace gauntlet::rpc
