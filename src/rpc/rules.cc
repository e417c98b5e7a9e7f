#include "rpc/rules.h"

#include <google/protobuf/timestamp.pb.h>

#include <algorithm>

#include "proto/thanos/rules.pb.h"
#include "rpc/glue.h"
#include "rpc/item_stream.h"
#include "wire/proto_convert.h"

namespace gauntlet::rpc {
namespace {

using net::GrpcStatus;

constexpr const char* kRules = "/thanos.Rules/Rules";

Labels ToAnnotations(const thanos::ZLabelSet& set) { return wire::ToLabels(set.labels(), /*keep_empty=*/true); }

AlertState ToState(thanos::AlertState state) {
  return state >= 0 && state <= 3 ? static_cast<AlertState>(state) : AlertState::kUnknown;
}

AlertInstance ToInstance(const thanos::AlertInstance& message) {
  AlertInstance instance;
  instance.labels = wire::ToLabels(message.labels().labels());
  instance.annotations = ToAnnotations(message.annotations());
  instance.state = ToState(message.state());
  if (message.has_active_at()) instance.active_at_ns = ToNs(message.active_at());
  instance.value = message.value();
  instance.partial_response = ToPartialResponse(message.partialresponsestrategy());
  return instance;
}

// The fields that both kinds of rules have.
template <typename Message>
void ToRule(const Message& message, Rule* rule) {
  rule->name = message.name();
  rule->query = message.query();
  rule->labels = wire::ToLabels(message.labels().labels());
  rule->health = message.health();
  rule->last_error = message.last_error();
  rule->evaluation_seconds = message.evaluation_duration_seconds();
  if (message.has_last_evaluation()) rule->last_evaluation_ns = ToNs(message.last_evaluation());
}

template <typename Message>
void FromRule(const Rule& rule, Message* message) {
  message->set_name(rule.name);
  message->set_query(rule.query);
  wire::FromLabels(rule.labels, message->mutable_labels()->mutable_labels());
  message->set_health(rule.health);
  message->set_last_error(rule.last_error);
  message->set_evaluation_duration_seconds(rule.evaluation_seconds);
  FromNs(rule.last_evaluation_ns, message->mutable_last_evaluation());
}

Rule ToRule(const thanos::Rule& message) {
  Rule rule;
  if (message.has_recording()) ToRule(message.recording(), &rule);
  if (!message.has_alert()) return rule;
  const thanos::Alert& alert = message.alert();
  ToRule(alert, &rule);
  rule.is_alert = true;
  rule.state = ToState(alert.state());
  rule.for_seconds = alert.duration_seconds();
  rule.keep_firing_for_seconds = alert.keep_firing_for_seconds();
  rule.annotations = ToAnnotations(alert.annotations());
  for (const auto& instance : alert.alerts()) rule.alerts.push_back(ToInstance(instance));
  return rule;
}

void FromRule(const Rule& rule, thanos::Rule* message) {
  if (!rule.is_alert) return FromRule(rule, message->mutable_recording());
  thanos::Alert* alert = message->mutable_alert();
  FromRule(rule, alert);
  alert->set_state(static_cast<thanos::AlertState>(rule.state));
  alert->set_duration_seconds(rule.for_seconds);
  alert->set_keep_firing_for_seconds(rule.keep_firing_for_seconds);
  wire::FromLabels(rule.annotations, alert->mutable_annotations()->mutable_labels());
  for (const AlertInstance& instance : rule.alerts) {
    thanos::AlertInstance* i = alert->add_alerts();
    wire::FromLabels(instance.labels, i->mutable_labels()->mutable_labels());
    wire::FromLabels(instance.annotations, i->mutable_annotations()->mutable_labels());
    i->set_state(static_cast<thanos::AlertState>(instance.state));
    if (instance.active_at_ns) FromNs(*instance.active_at_ns, i->mutable_active_at());
    i->set_value(instance.value);
    i->set_partialresponsestrategy(FromPartialResponse(instance.partial_response));
  }
}

// The codec that item_stream.h asks for.
struct RulesCodec {
  using Item = RuleGroup;
  using Message = thanos::RulesResponse;

  static bool Has(const Message& message) { return message.has_group(); }
  static Result<RuleGroup> To(const Message& message) {
    const thanos::RuleGroup& group = message.group();
    RuleGroup out;
    out.name = group.name();
    out.file = group.file();
    for (const auto& rule : group.rules()) out.rules.push_back(ToRule(rule));
    out.interval_seconds = group.interval();
    out.evaluation_seconds = group.evaluation_duration_seconds();
    if (group.has_last_evaluation()) out.last_evaluation_ns = ToNs(group.last_evaluation());
    out.partial_response = ToPartialResponse(group.partialresponsestrategy());
    out.limit = group.limit();
    return out;
  }
  static void From(const RuleGroup& group, Message* message) {
    thanos::RuleGroup* out = message->mutable_group();
    out->set_name(group.name);
    out->set_file(group.file);
    for (const Rule& rule : group.rules) FromRule(rule, out->add_rules());
    out->set_interval(group.interval_seconds);
    out->set_evaluation_duration_seconds(group.evaluation_seconds);
    FromNs(group.last_evaluation_ns, out->mutable_last_evaluation());
    out->set_partialresponsestrategy(FromPartialResponse(group.partial_response));
    out->set_limit(group.limit);
  }
};

class RulesClient : public RulesService {
 public:
  explicit RulesClient(net::GrpcChannel& channel) : channel_(channel) {}
  GrpcStatus Rules(const RulesRequest& request, Sink<RuleGroup>& out, const CallContext& context) override {
    thanos::RulesRequest message;
    message.set_type(static_cast<thanos::RulesRequest::Type>(request.type));
    message.set_partial_response_strategy(FromPartialResponse(request.partial_response));
    message.mutable_matcher_string()->Assign(request.matchers.begin(), request.matchers.end());
    message.mutable_rule_name()->Assign(request.rule_names.begin(), request.rule_names.end());
    message.mutable_rule_group()->Assign(request.rule_groups.begin(), request.rule_groups.end());
    message.mutable_file()->Assign(request.files.begin(), request.files.end());
    return CallItems<RulesCodec>(channel_, kRules, message, out, context);
  }

 private:
  net::GrpcChannel& channel_;
};

bool Listed(const std::vector<std::string>& wanted, const std::string& name) {
  return wanted.empty() || std::find(wanted.begin(), wanted.end(), name) != wanted.end();
}

}  // namespace

bool RulesRequest::WantsGroup(const RuleGroup& group) const {
  return Listed(rule_groups, group.name) && Listed(files, group.file);
}

bool RulesRequest::WantsRule(const std::string& name) const { return Listed(rule_names, name); }

void RegisterRules(RulesService& service, MethodMap* methods) {
  (*methods)[kRules] = ItemHandler<RulesCodec, thanos::RulesRequest>(
      [&service](const thanos::RulesRequest& message, Sink<RuleGroup>& out, const CallContext& context) {
        RulesRequest request;
        if (message.type() >= 0 && message.type() <= 2) request.type = static_cast<RuleType>(message.type());
        request.partial_response = ToPartialResponse(message.partial_response_strategy());
        request.matchers = wire::ToStrings(message.matcher_string());
        request.rule_names = wire::ToStrings(message.rule_name());
        request.rule_groups = wire::ToStrings(message.rule_group());
        request.files = wire::ToStrings(message.file());
        return service.Rules(request, out, context);
      });
}

std::unique_ptr<RulesService> MakeRulesClient(net::GrpcChannel& channel) {
  return std::make_unique<RulesClient>(channel);
}

}  // namespace gauntlet::rpc
