// Rules: the rule groups that an endpoint evaluates, and their state.
//
// Format:  proto/thanos/rules.proto      Upstream: thanos pkg/rules
// Threads: services are called from many threads at once; the rest are values.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/labels.h"
#include "rpc/context.h"
#include "rpc/method.h"
#include "rpc/stream.h"
#include "rpc/time.h"
#include "wire/store_request.h"

namespace gauntlet::rpc {

// The numbers of the contract, as everywhere below.
enum class RuleType : uint8_t { kAll, kAlert, kRecord };
enum class AlertState : uint8_t { kUnknown, kInactive, kPending, kFiring };

struct RuleGroup;

struct RulesRequest {
  RuleType type = RuleType::kAll;
  wire::PartialResponse partial_response = wire::PartialResponse::kWarn;
  std::vector<std::string> matchers;                        // selectors: {job="x"}
  std::vector<std::string> rule_names, rule_groups, files;  // an empty list wants all

  bool WantsGroup(const RuleGroup& group) const;
  bool WantsRule(const std::string& name) const;
};

struct AlertInstance {
  Labels labels;
  Labels annotations;  // may hold empty values
  AlertState state = AlertState::kUnknown;
  std::optional<int64_t> active_at_ns;
  std::string value;
  wire::PartialResponse partial_response = wire::PartialResponse::kWarn;
};

struct Rule {
  bool is_alert = false;
  std::string name, query;
  Labels labels;
  std::string health, last_error;
  double evaluation_seconds = 0;
  int64_t last_evaluation_ns = kNeverNs;
  // Of an alert:
  AlertState state = AlertState::kUnknown;  // the highest of its instances
  double for_seconds = 0, keep_firing_for_seconds = 0;
  Labels annotations;  // may hold empty values
  std::vector<AlertInstance> alerts;
};

struct RuleGroup {
  std::string name, file;
  std::vector<Rule> rules;
  double interval_seconds = 0, evaluation_seconds = 0;
  int64_t last_evaluation_ns = kNeverNs;
  wire::PartialResponse partial_response = wire::PartialResponse::kWarn;
  int64_t limit = 0;
};

class RulesService {
 public:
  virtual ~RulesService() = default;
  virtual net::GrpcStatus Rules(const RulesRequest& request, Sink<RuleGroup>& out, const CallContext& context) = 0;
};

void RegisterRules(RulesService& service, MethodMap* methods);
std::unique_ptr<RulesService> MakeRulesClient(net::GrpcChannel& channel);  // `channel` must outlive it

}  // namespace gauntlet::rpc
