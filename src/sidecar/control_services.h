// ControlServices: what Prometheus knows beside samples (rules, targets, metadata, exemplars, statistics), and what the
// sidecar itself is, served over gRPC with external labels added.
//
// Upstream: thanos pkg/rules/prometheus.go and its siblings; cmd/thanos/sidecar.go (Info)
// Threads:  thread-safe.

#pragma once

#include "rpc/exemplars.h"
#include "rpc/info.h"
#include "rpc/metadata.h"
#include "rpc/rules.h"
#include "rpc/targets.h"
#include "rpc/tsdb_statistics.h"
#include "sidecar/heartbeat.h"
#include "sidecar/prometheus_api.h"

namespace gauntlet::sidecar {

class ControlServices : public rpc::RulesService,
                        public rpc::TargetsService,
                        public rpc::MetadataService,
                        public rpc::ExemplarsService,
                        public rpc::StatusService,
                        public rpc::InfoService {
 public:
  // Both borrowed.
  ControlServices(const PrometheusApi& api, const Heartbeat& heartbeat) : api_(api), heartbeat_(heartbeat) {}

  void Register(rpc::MethodMap* methods);

  net::GrpcStatus Rules(const rpc::RulesRequest& request, rpc::Sink<rpc::RuleGroup>& out,
                        const rpc::CallContext& context) override;
  net::GrpcStatus Targets(const rpc::TargetsRequest& request, rpc::Sink<rpc::TargetDiscovery>& out,
                          const rpc::CallContext& context) override;
  net::GrpcStatus Metadata(const rpc::MetadataRequest& request, rpc::Sink<rpc::MetricMetadata>& out,
                           const rpc::CallContext& context) override;
  net::GrpcStatus Exemplars(const rpc::ExemplarsRequest& request, rpc::Sink<rpc::ExemplarData>& out,
                            const rpc::CallContext& context) override;
  net::GrpcStatus Statistics(const rpc::TsdbStatisticsRequest& request, rpc::Sink<rpc::TsdbStatistics>& out,
                             const rpc::CallContext& context) override;
  net::GrpcStatus GetInfo(rpc::Info* info, const rpc::CallContext& context) override;

 private:
  const PrometheusApi& api_;
  const Heartbeat& heartbeat_;
};

}  // namespace gauntlet::sidecar
