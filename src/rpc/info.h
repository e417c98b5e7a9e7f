// Info: what an endpoint is and which services it answers.
//
// Format:  proto/thanos/info.proto      Upstream: thanos pkg/info
// Threads: services are called from many threads at once; the rest are values.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/labels.h"
#include "rpc/context.h"
#include "rpc/method.h"

namespace gauntlet::rpc {

struct TsdbInfo {
  Labels labels;
  int64_t min_time_ms = 0, max_time_ms = 0;
};

struct StoreInfo {
  int64_t min_time_ms = 0, max_time_ms = 0;
  bool supports_sharding = false;
  bool supports_without_replica_labels = false;
  bool supports_projections = false;
  std::vector<TsdbInfo> tsdbs;  // the databases behind the endpoint
};

struct ExemplarsInfo {
  int64_t min_time_ms = 0, max_time_ms = 0;
};

// What is absent or false is not served.
struct Info {
  std::vector<Labels> label_sets;
  std::string component;  // "sidecar", "query", "rule", "store", "receive", ..
  std::optional<StoreInfo> store;
  std::optional<ExemplarsInfo> exemplars;
  bool rules = false, metadata = false, targets = false, query = false, status = false;
};

class InfoService {
 public:
  virtual ~InfoService() = default;
  virtual net::GrpcStatus GetInfo(Info* info, const CallContext& context) = 0;
};

void RegisterInfo(InfoService& service, MethodMap* methods);

// A client waits for the endpoint to become reachable, up to the context's deadline. `channel` must outlive it.
std::unique_ptr<InfoService> MakeInfoClient(net::GrpcChannel& channel);

}  // namespace gauntlet::rpc
