// Merging what endpoints say of rules, targets, metadata, exemplars and statistics.
//
// Upstream: thanos pkg/rules/rules.go (dedupRules), pkg/targets/targets.go, pkg/exemplars/exemplars.go, pkg/status
// Threads:  pure functions.

#pragma once

#include <string>
#include <vector>

#include "model/matcher.h"
#include "rpc/exemplars.h"
#include "rpc/metadata.h"
#include "rpc/rules.h"
#include "rpc/targets.h"
#include "rpc/tsdb_statistics.h"

namespace gauntlet::query {

// Groups of the same file and name become one; of rules that are equal without replica labels the more critical state
// stays, then the one evaluated last. Then the filters: type, names, groups, files, and rules whose labels match one of
// the selectors.
Status MergeRules(const rpc::RulesRequest& request, const std::vector<std::string>& replica_labels,
                  std::vector<rpc::RuleGroup>* groups);
// Of targets that are equal without replica labels, the healthy one stays, then the one scraped last.
void MergeTargets(const std::vector<std::string>& replica_labels, rpc::TargetDiscovery* targets);
void MergeMetadata(const rpc::MetricMetadata& from, rpc::MetricMetadata* into);
// Series that are equal without replica labels become one; an exemplar is there once.
void MergeExemplars(const std::vector<std::string>& replica_labels, std::vector<rpc::ExemplarData>* data);
// Adds up per tenant; lists by value, at most `limit` of each (0 = all).
void MergeStatistics(const rpc::TsdbStatistics& from, rpc::TsdbStatistics* into);
void CutStatistics(int32_t limit, rpc::TsdbStatistics* statistics);

// The labels without those named.
Labels Without(LabelsView labels, const std::vector<std::string>& names);

}  // namespace gauntlet::query
