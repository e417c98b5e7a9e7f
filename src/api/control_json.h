// Rules, targets, statistics and stores as the HTTP API writes them.
//
// Upstream: thanos pkg/rules/rulespb, pkg/targets/targetspb (their JSON), pkg/api/query/v1.go
// Threads:  pure functions.

#pragma once

#include <vector>

#include "json/writer.h"
#include "query/endpoint_set.h"
#include "rpc/rules.h"
#include "rpc/targets.h"
#include "rpc/tsdb_statistics.h"

namespace gauntlet::api {

void WriteRuleGroup(json::Writer& writer, const rpc::RuleGroup& group);
void WriteAlert(json::Writer& writer, const rpc::AlertInstance& alert);
void WriteTargets(json::Writer& writer, const rpc::TargetDiscovery& targets);
// The head's numbers and lists of one tenant, or of the sum.
void WriteStatistics(json::Writer& writer, const rpc::TsdbStatistics& statistics);
void WriteStores(json::Writer& writer, const std::vector<query::EndpointStatus>& statuses);

}  // namespace gauntlet::api
