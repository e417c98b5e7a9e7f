// LeafQueries: distributed mode: parts of a query evaluated by the queriers below, over the Query API.
//
// A leaf that cannot be reached is a warning, or the error, as the request wants partial answers; one that is reached
// and refuses makes the query be evaluated here.
//
// Upstream: thanos pkg/query/remote_engine.go
// Threads:  as promql::RemoteEvaluator.

#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "promql/exec/remote.h"
#include "query/endpoint_set.h"
#include "query/select.h"

namespace gauntlet::query {

struct LeafOptions {
  std::vector<std::string> partition_labels;  // --query.partition-label
  std::chrono::milliseconds timeout{std::chrono::minutes(2)};
};

// The leaves as the endpoints are now, asked as the scope wants it. Null when the scope cannot be told to a leaf, or no
// endpoint evaluates. `endpoints` is only read here, `executor` is borrowed.
std::unique_ptr<promql::RemoteEvaluator> MakeLeafQueries(const EndpointSet& endpoints, const LeafOptions& options,
                                                         const SelectScope& scope, Executor& executor);

// The same of services known otherwise, one for each of `leaves`; those that answer no query may be null.
std::unique_ptr<promql::RemoteEvaluator> MakeLeafQueries(promql::Leaves leaves,
                                                         std::vector<std::shared_ptr<rpc::QueryService>> services,
                                                         const LeafOptions& options, const SelectScope& scope,
                                                         Executor& executor);

}  // namespace gauntlet::query
