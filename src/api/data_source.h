// DataSource: where the handlers read. It makes the Queryable of one request.
//
// Threads: thread-safe.

#pragma once

#include <functional>
#include <memory>

#include "query/select.h"
#include "storage/storage.h"

namespace gauntlet::api {

// The report may be null. What the scope asks of replicas, stores and resolutions matters only where there are some.
using DataSource = std::function<std::unique_ptr<storage::Queryable>(const query::SelectScope&, query::FanoutReport*)>;

// The stores behind a proxy, which is borrowed.
inline DataSource StoresBehind(storeapi::Proxy& proxy) {
  return [&proxy](const query::SelectScope& scope, query::FanoutReport* report) {
    return std::make_unique<query::StoreQueryable>(proxy, scope, report);
  };
}

}  // namespace gauntlet::api
