#include "sidecar/control_services.h"

#include <algorithm>
#include <utility>

#include "model/time.h"
#include "sidecar/api_json.h"
#include "storeapi/external_labels.h"

namespace gauntlet::sidecar {
namespace {

template <typename T>
net::GrpcStatus SendAll(const std::vector<T>& items, const std::vector<std::string>& warnings, rpc::Sink<T>& out) {
  for (const std::string& warning : warnings) {
    if (Status st = out.Warn(warning); !st.ok()) return st;
  }
  for (const T& item : items) {
    if (Status st = out.Send(item); !st.ok()) return st;
  }
  return {};
}

// Older servers do not know these filters, so they are applied here as well.
void Filter(const rpc::RulesRequest& request, std::vector<rpc::RuleGroup>* groups) {
  std::erase_if(*groups, [&](const rpc::RuleGroup& group) { return !request.WantsGroup(group); });
  if (request.rule_names.empty()) return;
  for (rpc::RuleGroup& group : *groups) {
    std::erase_if(group.rules, [&](const rpc::Rule& rule) { return !request.WantsRule(rule.name); });
  }
  std::erase_if(*groups, [](const rpc::RuleGroup& group) { return group.rules.empty(); });
}

}  // namespace

void ControlServices::Register(rpc::MethodMap* methods) {
  rpc::RegisterRules(*this, methods);
  rpc::RegisterTargets(*this, methods);
  rpc::RegisterMetadata(*this, methods);
  rpc::RegisterExemplars(*this, methods);
  rpc::RegisterStatus(*this, methods);
  rpc::RegisterInfo(*this, methods);
}

net::GrpcStatus ControlServices::Rules(const rpc::RulesRequest& request, rpc::Sink<rpc::RuleGroup>& out,
                                       const rpc::CallContext& context) {
  net::FormValues parameters;
  if (request.type == rpc::RuleType::kAlert) parameters.Add("type", "alert");
  if (request.type == rpc::RuleType::kRecord) parameters.Add("type", "record");
  Result<ApiAnswer> answer = api_.Get("rules", parameters, context.cancel);
  if (!answer.ok()) return answer.status();
  std::vector<rpc::RuleGroup> groups = RuleGroupsFromJson(answer->data, heartbeat_.state()->external_labels);
  Filter(request, &groups);
  return SendAll(groups, answer->warnings, out);
}

net::GrpcStatus ControlServices::Targets(const rpc::TargetsRequest& request, rpc::Sink<rpc::TargetDiscovery>& out,
                                         const rpc::CallContext& context) {
  net::FormValues parameters;
  const char* states[] = {"any", "active", "dropped"};
  parameters.Add("state", states[static_cast<size_t>(request.state)]);
  Result<ApiAnswer> answer = api_.Get("targets", parameters, context.cancel);
  if (!answer.ok()) return answer.status();
  return SendAll<rpc::TargetDiscovery>({TargetsFromJson(answer->data, heartbeat_.state()->external_labels)},
                                       answer->warnings, out);
}

net::GrpcStatus ControlServices::Metadata(const rpc::MetadataRequest& request, rpc::Sink<rpc::MetricMetadata>& out,
                                          const rpc::CallContext& context) {
  if (request.limit == 0) return {};
  net::FormValues parameters;
  if (!request.metric.empty()) parameters.Add("metric", request.metric);
  if (request.limit > 0) parameters.Add("limit", std::to_string(request.limit));
  Result<ApiAnswer> answer = api_.Get("metadata", parameters, context.cancel);
  if (!answer.ok()) return answer.status();
  return SendAll<rpc::MetricMetadata>({MetadataFromJson(answer->data)}, answer->warnings, out);
}

net::GrpcStatus ControlServices::Exemplars(const rpc::ExemplarsRequest& request, rpc::Sink<rpc::ExemplarData>& out,
                                           const rpc::CallContext& context) {
  net::FormValues parameters;
  parameters.Add("query", request.query);
  AddTimeRange(request.start_ms, request.end_ms, &parameters);
  Result<ApiAnswer> answer = api_.Post("query_exemplars", parameters, context.cancel);
  if (!answer.ok()) return answer.status();
  return SendAll(ExemplarsFromJson(answer->data, heartbeat_.state()->external_labels), answer->warnings, out);
}

net::GrpcStatus ControlServices::Statistics(const rpc::TsdbStatisticsRequest& request,
                                            rpc::Sink<rpc::TsdbStatistics>& out, const rpc::CallContext& context) {
  if (!storeapi::AnyLabelSetMatches(request.matchers, {heartbeat_.state()->external_labels})) return {};
  net::FormValues parameters;
  if (request.limit > 0) parameters.Add("limit", std::to_string(request.limit));
  Result<ApiAnswer> answer = api_.Get("status/tsdb", parameters, context.cancel);
  if (!answer.ok()) return answer.status();
  rpc::TsdbStatistics statistics;
  statistics[""] = StatisticsFromJson(answer->data);
  return SendAll<rpc::TsdbStatistics>({statistics}, answer->warnings, out);
}

net::GrpcStatus ControlServices::GetInfo(rpc::Info* info, const rpc::CallContext&) {
  auto state = heartbeat_.state();
  if (!state->up) return net::GrpcStatus(net::GrpcCode::kUnknown, "Not ready");
  info->component = "sidecar";
  info->label_sets = {state->external_labels};
  rpc::StoreInfo store;
  store.min_time_ms = state->min_time_ms;
  store.max_time_ms = kMaxTimeMs;
  store.supports_sharding = store.supports_without_replica_labels = true;
  store.tsdbs = {{state->external_labels, state->min_time_ms, kMaxTimeMs}};
  info->store = std::move(store);
  info->exemplars = rpc::ExemplarsInfo();  // without times, as upstream: Prometheus does not say which it has
  info->rules = info->metadata = info->targets = info->status = true;
  return {};
}

}  // namespace gauntlet::sidecar
