// DataSource: where queries read. It makes the Queryable of one request.
//
// Threads: thread-safe.

#pragma once

#include <functional>
#include <memory>

#include "promql/exec/remote.h"
#include "query/select.h"
#include "storage/storage.h"

namespace gauntlet::query {

// The report may be null. What the scope asks of replicas, stores and resolutions matters only where there are some.
using DataSource = std::function<std::unique_ptr<storage::Queryable>(const SelectScope&, FanoutReport*)>;

// The stores behind a proxy, which is borrowed.
inline DataSource StoresBehind(storeapi::Proxy& proxy) {
  return [&proxy](const SelectScope& scope, FanoutReport* report) {
    return std::make_unique<StoreQueryable>(proxy, scope, report);
  };
}

// The leaves that may evaluate parts of one query; null when there are none. An empty function: never any.
using LeafSource = std::function<std::unique_ptr<promql::RemoteEvaluator>(const SelectScope&)>;

}  // namespace gauntlet::query
