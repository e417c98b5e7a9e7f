// Rules, targets, metadata, exemplars and statistics read from the JSON of Prometheus' HTTP API.
//
// Upstream: prometheus web/api/v1/api.go
// Threads:  pure functions.

#pragma once

#include <vector>

#include "json/reader.h"
#include "model/labels.h"
#include "rpc/exemplars.h"
#include "rpc/metadata.h"
#include "rpc/rules.h"
#include "rpc/targets.h"
#include "rpc/tsdb_statistics.h"

namespace gauntlet::sidecar {

// Each takes the `data` of the answer. `external` is added to the labels of rules, alerts, targets and exemplars'
// series.
std::vector<rpc::RuleGroup> RuleGroupsFromJson(json::Value data, LabelsView external);
rpc::TargetDiscovery TargetsFromJson(json::Value data, LabelsView external);
rpc::MetricMetadata MetadataFromJson(json::Value data);
std::vector<rpc::ExemplarData> ExemplarsFromJson(json::Value data, LabelsView external);
rpc::TsdbStatisticsEntry StatisticsFromJson(json::Value data);

}  // namespace gauntlet::sidecar
