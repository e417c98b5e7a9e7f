#include "query/control_fanout.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

#include "base/clock.h"
#include "base/executor.h"
#include "promql/syntax/parser.h"
#include "promql/syntax/walk.h"
#include "query/control_merge.h"
#include "storeapi/coverage.h"
#include "storeapi/external_labels.h"
#include "storeapi/remote_store.h"

namespace gauntlet::query {
namespace {

// What one endpoint said.
template <typename Item>
struct Answer {
  rpc::Collected<Item> collected;
  net::GrpcStatus status;
};

// What becomes of endpoints that fail.
struct Failures {
  bool abort = false;  // else a warning
  // Under abort: replicas that answer stand in, told apart by these labels. Null: none does.
  const std::vector<std::string>* replica_labels = nullptr;
};

// Whether the failures of some endpoints leave something out that others do not have: by what they have now.
storeapi::Coverage CoverageOf(const std::vector<ControlEndpoint>& targets, const Failures& failures) {
  std::vector<storeapi::EndpointPtr> endpoints;
  endpoints.reserve(targets.size());
  for (const ControlEndpoint& target : targets) endpoints.push_back(target.endpoint);
  int64_t now_ms = SystemClock().NowMs();
  return {std::move(endpoints), now_ms, now_ms, {}, *failures.replica_labels};
}

// Asks all of `targets` at the same time, but for those known to be unhealthy; their items in the order of the targets,
// and warnings.
template <typename Item>
Result<Gathered<std::vector<Item>>> AskAll(
    Executor& executor, const char* what, const std::vector<ControlEndpoint>& targets, const Failures& failures,
    const Cancel& cancel, const std::function<net::GrpcStatus(const ControlEndpoint&, rpc::Sink<Item>&)>& ask) {
  std::vector<Answer<Item>> answers(targets.size());
  ParallelFor(executor, targets.size(), [&](size_t i) {
    const Status& health = targets[i].endpoint->health;
    answers[i].status = health.ok() ? ask(targets[i], answers[i].collected) : net::GrpcStatus(health);
  });
  std::optional<storeapi::Coverage> coverage;
  if (failures.replica_labels != nullptr) coverage.emplace(CoverageOf(targets, failures));
  Gathered<std::vector<Item>> gathered;
  // What endpoint `i` leaves out.
  auto miss = [&](size_t i, const Status& why) -> Status {
    if (failures.abort) return coverage && coverage->Without(i, why) ? Status() : why;
    gathered.warnings.emplace_back(why.message());
    return Status();
  };
  for (size_t i = 0; i < targets.size(); ++i) {
    for (std::string& warning : answers[i].collected.warnings)
      GN_TRY(miss(i, Status(Code::kUnavailable, std::move(warning))));
    if (!answers[i].status.ok()) {
      GN_TRY(cancel.status());
      const Status& health = targets[i].endpoint->health;
      Status failed = health.ok() ? storeapi::RpcError(answers[i].status) : health;
      GN_TRY(miss(i, failed.Wrap(std::string("fetch ") + what + " from " + targets[i].endpoint->address)));
      continue;
    }
    auto& items = answers[i].collected.items;
    gathered.value.insert(gathered.value.end(), std::make_move_iterator(items.begin()),
                          std::make_move_iterator(items.end()));
  }
  return gathered;
}

bool Aborts(wire::PartialResponse partial_response) { return partial_response == wire::PartialResponse::kAbort; }

template <typename Service>
std::vector<ControlEndpoint> Having(std::vector<ControlEndpoint> endpoints,
                                    std::shared_ptr<Service> ControlEndpoint::* service) {
  std::erase_if(endpoints, [&](const ControlEndpoint& e) { return e.*service == nullptr; });
  return endpoints;
}

template <typename Item>
net::GrpcStatus SendAll(const std::vector<std::string>& warnings, const std::vector<Item>& items,
                        rpc::Sink<Item>& out) {
  for (const std::string& warning : warnings) {
    if (Status st = out.Warn(warning); !st.ok()) return st;
  }
  for (const Item& item : items) {
    if (Status st = out.Send(item); !st.ok()) return st;
  }
  return {};
}

net::GrpcStatus Failed(const Status& status, wire::PartialResponse partial_response) {
  if (Aborts(partial_response) && status.code() != Code::kInvalid)
    return {net::GrpcCode::kAborted, std::string(status.message())};
  return status;
}

// The exemplars' query with matchers on the endpoint's external labels taken out, since its Prometheus does not know
// them. nullopt: no selector of it can match there.
std::optional<std::string> QueryFor(const promql::Expr& expr, const storeapi::Endpoint& endpoint) {
  std::vector<Labels> sets = endpoint.label_sets();
  if (sets.empty()) sets.emplace_back();
  std::string query;
  for (const promql::VectorSelector* selector : promql::ExtractSelectors(expr)) {
    for (const Labels& set : sets) {
      std::optional<Matchers> matchers = storeapi::StripExternal(selector->matchers, set);
      if (!matchers || matchers->empty()) continue;
      query += (query.empty() ? "" : " + ") + MatchersToString(*matchers);
      break;
    }
  }
  if (query.empty()) return std::nullopt;
  return query;
}

}  // namespace

void ControlFanout::Register(rpc::MethodMap* methods) {
  rpc::RegisterRules(*this, methods);
  rpc::RegisterTargets(*this, methods);
  rpc::RegisterMetadata(*this, methods);
  rpc::RegisterExemplars(*this, methods);
  rpc::RegisterStatus(*this, methods);
}

Result<Gathered<std::vector<rpc::RuleGroup>>> ControlFanout::GatherRules(const rpc::RulesRequest& request,
                                                                         const rpc::CallContext& context) {
  GN_ASSIGN(auto gathered,
            AskAll<rpc::RuleGroup>(
                executor_, "rules", Having(endpoints_.Controls(), &ControlEndpoint::rules),
                {Aborts(request.partial_response), &replica_labels_}, context.cancel,
                [&](const ControlEndpoint& e, auto& sink) { return e.rules->Rules(request, sink, context); }));
  GN_TRY(MergeRules(request, replica_labels_, &gathered.value));
  return gathered;
}

Result<Gathered<rpc::TargetDiscovery>> ControlFanout::GatherTargets(const rpc::TargetsRequest& request,
                                                                    const rpc::CallContext& context) {
  GN_ASSIGN(auto gathered,
            AskAll<rpc::TargetDiscovery>(
                executor_, "targets", Having(endpoints_.Controls(), &ControlEndpoint::targets),
                {Aborts(request.partial_response), &replica_labels_}, context.cancel,
                [&](const ControlEndpoint& e, auto& sink) { return e.targets->Targets(request, sink, context); }));
  Gathered<rpc::TargetDiscovery> merged;
  merged.warnings = std::move(gathered.warnings);
  for (rpc::TargetDiscovery& one : gathered.value) {
    std::move(one.active.begin(), one.active.end(), std::back_inserter(merged.value.active));
    std::move(one.dropped.begin(), one.dropped.end(), std::back_inserter(merged.value.dropped));
  }
  MergeTargets(replica_labels_, &merged.value);
  return merged;
}

Result<Gathered<rpc::MetricMetadata>> ControlFanout::GatherMetadata(const rpc::MetadataRequest& request,
                                                                    const rpc::CallContext& context) {
  GN_ASSIGN(auto gathered,
            AskAll<rpc::MetricMetadata>(
                executor_, "metadata", Having(endpoints_.Controls(), &ControlEndpoint::metadata),
                {Aborts(request.partial_response), &replica_labels_}, context.cancel,
                [&](const ControlEndpoint& e, auto& sink) { return e.metadata->Metadata(request, sink, context); }));
  Gathered<rpc::MetricMetadata> merged;
  merged.warnings = std::move(gathered.warnings);
  for (const rpc::MetricMetadata& one : gathered.value) MergeMetadata(one, &merged.value);
  while (request.limit >= 0 && merged.value.size() > static_cast<size_t>(request.limit)) {
    merged.value.erase(std::prev(merged.value.end()));
  }
  return merged;
}

Result<Gathered<std::vector<rpc::ExemplarData>>> ControlFanout::GatherExemplars(const rpc::ExemplarsRequest& request,
                                                                                const rpc::CallContext& context) {
  GN_ASSIGN(promql::ExprPtr expr, promql::ParseExpr(request.query, parser_));
  std::vector<ControlEndpoint> asked;
  std::vector<rpc::ExemplarsRequest> requests;
  for (ControlEndpoint& endpoint : Having(endpoints_.Controls(), &ControlEndpoint::exemplars)) {
    if (endpoint.exemplars_min_ms > request.end_ms || endpoint.exemplars_max_ms < request.start_ms) continue;
    // Another querier takes the matchers out itself, endpoint by endpoint.
    rpc::ExemplarsRequest own = request;
    if (endpoint.endpoint->component != "query") {
      std::optional<std::string> query = QueryFor(*expr, *endpoint.endpoint);
      if (!query) continue;
      own.query = *std::move(query);
    }
    requests.push_back(std::move(own));
    asked.push_back(std::move(endpoint));
  }
  const ControlEndpoint* first = asked.data();
  GN_ASSIGN(auto gathered, AskAll<rpc::ExemplarData>(
                               executor_, "exemplars", asked, {Aborts(request.partial_response), &replica_labels_},
                               context.cancel, [&](const ControlEndpoint& e, auto& sink) {
                                 return e.exemplars->Exemplars(requests[&e - first], sink, context);
                               }));
  MergeExemplars(replica_labels_, &gathered.value);
  return gathered;
}

Result<Gathered<rpc::TsdbStatistics>> ControlFanout::GatherStatistics(const rpc::TsdbStatisticsRequest& request,
                                                                      const rpc::CallContext& context) {
  std::vector<ControlEndpoint> asked = Having(endpoints_.Controls(), &ControlEndpoint::status);
  std::erase_if(asked, [&](const ControlEndpoint& e) {
    return !storeapi::AnyLabelSetMatches(request.matchers, e.endpoint->label_sets());
  });
  GN_ASSIGN(auto gathered,
            AskAll<rpc::TsdbStatistics>(
                executor_, "TSDB statistics", asked, {Aborts(request.partial_response), nullptr}, context.cancel,
                [&](const ControlEndpoint& e, auto& sink) { return e.status->Statistics(request, sink, context); }));
  Gathered<rpc::TsdbStatistics> merged;
  merged.warnings = std::move(gathered.warnings);
  for (const rpc::TsdbStatistics& one : gathered.value) MergeStatistics(one, &merged.value);
  CutStatistics(request.limit, &merged.value);
  return merged;
}

net::GrpcStatus ControlFanout::Rules(const rpc::RulesRequest& request, rpc::Sink<rpc::RuleGroup>& out,
                                     const rpc::CallContext& context) {
  auto gathered = GatherRules(request, context);
  if (!gathered.ok()) return Failed(gathered.status(), request.partial_response);
  return SendAll(gathered->warnings, gathered->value, out);
}

net::GrpcStatus ControlFanout::Targets(const rpc::TargetsRequest& request, rpc::Sink<rpc::TargetDiscovery>& out,
                                       const rpc::CallContext& context) {
  auto gathered = GatherTargets(request, context);
  if (!gathered.ok()) return Failed(gathered.status(), request.partial_response);
  return SendAll<rpc::TargetDiscovery>(gathered->warnings, {gathered->value}, out);
}

net::GrpcStatus ControlFanout::Metadata(const rpc::MetadataRequest& request, rpc::Sink<rpc::MetricMetadata>& out,
                                        const rpc::CallContext& context) {
  auto gathered = GatherMetadata(request, context);
  if (!gathered.ok()) return Failed(gathered.status(), request.partial_response);
  return SendAll<rpc::MetricMetadata>(gathered->warnings, {gathered->value}, out);
}

net::GrpcStatus ControlFanout::Exemplars(const rpc::ExemplarsRequest& request, rpc::Sink<rpc::ExemplarData>& out,
                                         const rpc::CallContext& context) {
  auto gathered = GatherExemplars(request, context);
  if (!gathered.ok()) return Failed(gathered.status(), request.partial_response);
  return SendAll(gathered->warnings, gathered->value, out);
}

net::GrpcStatus ControlFanout::Statistics(const rpc::TsdbStatisticsRequest& request,
                                          rpc::Sink<rpc::TsdbStatistics>& out, const rpc::CallContext& context) {
  auto gathered = GatherStatistics(request, context);
  if (!gathered.ok()) return Failed(gathered.status(), request.partial_response);
  return SendAll<rpc::TsdbStatistics>(gathered->warnings, {gathered->value}, out);
}

}  // namespace gauntlet::query
