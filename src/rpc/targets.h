// Targets: what an endpoint scrapes, and what its relabelling dropped.
//
// Format:  proto/thanos/targets.proto      Upstream: thanos pkg/targets
// Threads: services are called from many threads at once; the rest are values.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "model/labels.h"
#include "rpc/context.h"
#include "rpc/method.h"
#include "rpc/stream.h"
#include "rpc/time.h"
#include "wire/store_request.h"

namespace gauntlet::rpc {

enum class TargetState : uint8_t { kAny, kActive, kDropped };
enum class TargetHealth : uint8_t { kDown, kUp, kUnknown };

struct TargetsRequest {
  TargetState state = TargetState::kAny;
  wire::PartialResponse partial_response = wire::PartialResponse::kWarn;
};

struct ActiveTarget {
  Labels discovered_labels, labels;
  std::string scrape_pool, scrape_url, global_url, last_error;
  int64_t last_scrape_ns = kNeverNs;
  double last_scrape_seconds = 0;  // how long it took
  TargetHealth health = TargetHealth::kUnknown;
};

// Some of an endpoint's targets.
struct TargetDiscovery {
  std::vector<ActiveTarget> active;
  std::vector<Labels> dropped;  // their discovered labels
};

class TargetsService {
 public:
  virtual ~TargetsService() = default;
  virtual net::GrpcStatus Targets(const TargetsRequest& request, Sink<TargetDiscovery>& out,
                                  const CallContext& context) = 0;
};

void RegisterTargets(TargetsService& service, MethodMap* methods);
std::unique_ptr<TargetsService> MakeTargetsClient(net::GrpcChannel& channel);  // `channel` must outlive it

}  // namespace gauntlet::rpc
