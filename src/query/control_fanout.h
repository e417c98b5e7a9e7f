// ControlFanout: rules, targets, metadata, exemplars and statistics of all endpoints as one answer, replicas told once.
//
// Upstream: thanos pkg/rules/rules.go, pkg/targets/targets.go, pkg/metadata, pkg/exemplars, pkg/status
// Threads:  thread-safe.

#pragma once

#include <string>
#include <vector>

#include "promql/syntax/parser.h"
#include "query/endpoint_set.h"

namespace gauntlet {
class Executor;
}

namespace gauntlet::query {

template <typename T>
struct Gathered {
  T value;
  std::vector<std::string> warnings;
};

class ControlFanout : public rpc::RulesService,
                      public rpc::TargetsService,
                      public rpc::MetadataService,
                      public rpc::ExemplarsService,
                      public rpc::StatusService {
 public:
  // All borrowed. `replica_labels` are those of --query.replica-label: copies that differ only there are one. The
  // queries of exemplars are in the language that `parser` allows.
  ControlFanout(const EndpointSet& endpoints, std::vector<std::string> replica_labels, promql::ParserOptions parser,
                Executor& executor)
      : endpoints_(endpoints), replica_labels_(std::move(replica_labels)), parser_(parser), executor_(executor) {}

  const promql::ParserOptions& parser_options() const { return parser_; }

  void Register(rpc::MethodMap* methods);

  // An endpoint's failure, and its being unhealthy, is a warning, or under kAbort the error, unless replicas of it
  // answer (statistics are each endpoint's own).
  Result<Gathered<std::vector<rpc::RuleGroup>>> GatherRules(const rpc::RulesRequest& request,
                                                            const rpc::CallContext& context);
  Result<Gathered<rpc::TargetDiscovery>> GatherTargets(const rpc::TargetsRequest& request,
                                                       const rpc::CallContext& context);
  Result<Gathered<rpc::MetricMetadata>> GatherMetadata(const rpc::MetadataRequest& request,
                                                       const rpc::CallContext& context);
  Result<Gathered<std::vector<rpc::ExemplarData>>> GatherExemplars(const rpc::ExemplarsRequest& request,
                                                                   const rpc::CallContext& context);
  Result<Gathered<rpc::TsdbStatistics>> GatherStatistics(const rpc::TsdbStatisticsRequest& request,
                                                         const rpc::CallContext& context);

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

 private:
  const EndpointSet& endpoints_;
  const std::vector<std::string> replica_labels_;
  const promql::ParserOptions parser_;
  Executor& executor_;
};

}  // namespace gauntlet::query
