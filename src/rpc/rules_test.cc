#include "rpc/rules.h"

#include <gtest/gtest.h>

#include "rpc/testing/services_fixture.h"

namespace gauntlet::rpc {
namespace {

using net::GrpcCode;
using net::GrpcStatus;

RuleGroup SomeGroup() {
  RuleGroup group{"g", "f.yml", {}, 15, 0.25, 1'700'000'000'123'456'789, wire::PartialResponse::kAbort, 3};
  Rule recording;
  recording.name = "job:up:sum";
  recording.query = "sum by (job) (up)";
  recording.labels = L("team", "x");
  recording.health = "err";
  recording.last_error = "boom";
  recording.evaluation_seconds = 0.5;
  group.rules.push_back(recording);
  Rule alert = recording;
  alert.is_alert = true;
  alert.state = AlertState::kFiring;
  alert.for_seconds = 60;
  alert.keep_firing_for_seconds = 30;
  std::string annotations;
  PackLabel(annotations, "runbook", "");  // empty, and kept
  PackLabel(annotations, "summary", "down");
  alert.annotations = Labels::FromPacked(annotations);
  alert.last_evaluation_ns = -1;
  AlertInstance instance{L("a", "b"), L("summary", "x is down"),    AlertState::kPending, 5,
                         "1e+00",     wire::PartialResponse::kAbort};
  alert.alerts = {instance, AlertInstance()};
  group.rules.push_back(alert);
  return group;
}

void ExpectSame(const Rule& a, const Rule& b) {
  EXPECT_EQ(a.is_alert, b.is_alert);
  EXPECT_EQ(a.name, b.name);
  EXPECT_EQ(a.query, b.query);
  EXPECT_EQ(a.labels, b.labels);
  EXPECT_EQ(a.health, b.health);
  EXPECT_EQ(a.last_error, b.last_error);
  EXPECT_EQ(a.evaluation_seconds, b.evaluation_seconds);
  EXPECT_EQ(a.last_evaluation_ns, b.last_evaluation_ns);
  EXPECT_EQ(a.state, b.state);
  EXPECT_EQ(a.for_seconds, b.for_seconds);
  EXPECT_EQ(a.keep_firing_for_seconds, b.keep_firing_for_seconds);
  EXPECT_EQ(a.annotations, b.annotations);
  ASSERT_EQ(a.alerts.size(), b.alerts.size());
  for (size_t i = 0; i < a.alerts.size(); ++i) {
    EXPECT_EQ(a.alerts[i].labels, b.alerts[i].labels);
    EXPECT_EQ(a.alerts[i].annotations, b.alerts[i].annotations);
    EXPECT_EQ(a.alerts[i].state, b.alerts[i].state);
    EXPECT_EQ(a.alerts[i].active_at_ns, b.alerts[i].active_at_ns);
    EXPECT_EQ(a.alerts[i].value, b.alerts[i].value);
    EXPECT_EQ(a.alerts[i].partial_response, b.alerts[i].partial_response);
  }
}

class FakeRules : public RulesService {
 public:
  GrpcStatus Rules(const RulesRequest& request, Sink<RuleGroup>& out, const CallContext&) override {
    last = request;
    for (int i = 0; i < 2; ++i)
      if (Status sent = out.Send(SomeGroup()); !sent.ok()) return sent;
    if (Status sent = out.Warn("r2 is late"); !sent.ok()) return sent;
    return end;
  }
  RulesRequest last;
  GrpcStatus end;
};

TEST_F(ServicesTest, RulesArriveWholeWithWarningsAndTheEndsCode) {
  FakeRules service;
  service.end = {GrpcCode::kAborted, "r3 is gone"};
  MethodMap methods;
  RegisterRules(service, &methods);
  RulesRequest request{RuleType::kRecord, wire::PartialResponse::kAbort, {"{a=\"b\"}"}, {"n"}, {"g"}, {"f"}};
  Collected<RuleGroup> got;
  GrpcStatus status = MakeRulesClient(Channel(methods))->Rules(request, got, {});
  EXPECT_EQ(status.code, GrpcCode::kAborted);
  EXPECT_EQ(got.warnings, (Strings{"r2 is late"}));
  ASSERT_EQ(got.items.size(), 2u);
  RuleGroup expected = SomeGroup();
  EXPECT_EQ(got.items[1].name, expected.name);
  EXPECT_EQ(got.items[1].file, expected.file);
  EXPECT_EQ(got.items[1].interval_seconds, expected.interval_seconds);
  EXPECT_EQ(got.items[1].evaluation_seconds, expected.evaluation_seconds);
  EXPECT_EQ(got.items[1].last_evaluation_ns, expected.last_evaluation_ns);
  EXPECT_EQ(got.items[1].partial_response, expected.partial_response);
  EXPECT_EQ(got.items[1].limit, expected.limit);
  ASSERT_EQ(got.items[1].rules.size(), 2u);
  for (int i = 0; i < 2; ++i) ExpectSame(got.items[1].rules[i], expected.rules[i]);
  EXPECT_EQ(service.last.type, RuleType::kRecord);
  EXPECT_EQ(service.last.partial_response, wire::PartialResponse::kAbort);
  EXPECT_EQ(service.last.matchers, request.matchers);
  EXPECT_EQ(service.last.rule_names, request.rule_names);
  EXPECT_EQ(service.last.rule_groups, request.rule_groups);
  EXPECT_EQ(service.last.files, request.files);
}

// A sink that has enough ends the call, and its error comes back.
TEST_F(ServicesTest, ASinksErrorEndsTheCall) {
  struct Full : Sink<RuleGroup> {
    Status Send(const RuleGroup&) override { return Status(Code::kExhausted, "enough"); }
    Status Warn(std::string_view) override { return {}; }
  } full;
  FakeRules service;
  MethodMap methods;
  RegisterRules(service, &methods);
  EXPECT_EQ(MakeRulesClient(Channel(methods))->Rules({}, full, {}).code, GrpcCode::kResourceExhausted);
}

}  // namespace
}  // namespace gauntlet::rpc
