// Coverage: whether what an endpoint would have had is there without it, because replicas of its databases answer.
//
// Threads: a Coverage is for one thread at a time.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "storeapi/endpoint.h"

namespace gauntlet::storeapi {

// Keeps which endpoints of one answer have failed.
class Coverage {
 public:
  // The endpoints that the request goes to, its times and matchers, and the labels that tell replicas apart.
  Coverage(std::vector<EndpointPtr> endpoints, int64_t min_time_ms, int64_t max_time_ms, Matchers matchers,
           std::vector<std::string> replica_labels)
      : endpoints_(std::move(endpoints)),
        failed_(endpoints_.size()),
        min_time_ms_(min_time_ms),
        max_time_ms_(max_time_ms),
        matchers_(std::move(matchers)),
        replica_labels_(std::move(replica_labels)) {}

  // Notes that endpoint `index` fails. True when each database that it and those that failed before may have for the
  // request has replicas (the same labels but for the replica labels) among the others, which together have its times
  // (but for a scrape interval, at most a minute, at the beginning).
  // A refusal of the request itself (kInvalid, kExhausted) is nothing that a replica makes good.
  bool Without(size_t index, const Status& why);

 private:
  bool Covered(const TsdbInfo& missing) const;

  const std::vector<EndpointPtr> endpoints_;
  std::vector<bool> failed_;
  const int64_t min_time_ms_, max_time_ms_;
  const Matchers matchers_;
  const std::vector<std::string> replica_labels_;
};

}  // namespace gauntlet::storeapi
