// Endpoint: a store as the proxy sees it: where it is, what it says it has, and whether it can be asked.
//
// Threads: immutable; a change is a new Endpoint.

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "model/labels.h"
#include "model/matcher.h"
#include "model/time.h"
#include "storeapi/store.h"

namespace gauntlet::storeapi {

// One database behind an endpoint: its external labels and the times it has.
struct TsdbInfo {
  Labels labels;
  int64_t min_time_ms = kMinTimeMs, max_time_ms = kMaxTimeMs;
};

struct Endpoint {
  std::string address;
  std::string component;  // "sidecar", "store", ...; empty = unknown
  std::vector<TsdbInfo> tsdbs;
  // The range over all databases.
  int64_t min_time_ms = kMinTimeMs, max_time_ms = kMaxTimeMs;
  bool supports_sharding = false, supports_without_replica_labels = false;
  std::shared_ptr<Store> store;
  // Not ok: known, but cannot be asked now; what it would have had is missing, and the proxy says so.
  Status health;

  std::vector<Labels> label_sets() const;
  // "Addr: 127.0.0.1:10901 LabelSets: {replica="a"} MinTime: 0 MaxTime: 1": names it in warnings.
  std::string ToString() const;
};

using EndpointPtr = std::shared_ptr<const Endpoint>;
// The current endpoints; called once per request. Must not block.
using EndpointSource = std::function<std::vector<EndpointPtr>()>;

// False when the endpoint cannot have anything: no database of it overlaps the times and matches.
bool MayHave(const Endpoint& endpoint, int64_t min_time_ms, int64_t max_time_ms, const Matchers& matchers);

// storeMatch[]: any of the matcher lists matches the endpoint's __address__ and labels; none at all: true.
bool MatchesStore(const Endpoint& endpoint, const std::vector<Matchers>& store_matchers);

}  // namespace gauntlet::storeapi
