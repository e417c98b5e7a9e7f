#include "query/control_fanout.h"

#include <gtest/gtest.h>

#include <atomic>

#include "base/executor.h"

namespace gauntlet::query {
namespace {

// A sidecar with one rule group, over real gRPC on loopback.
class RulesEndpoint : public rpc::InfoService, public rpc::RulesService {
 public:
  RulesEndpoint(Executor& executor, const char* cluster, const char* replica)
      : labels_(Labels::From({{"cluster", cluster}, {"replica", replica}})) {
    rpc::MethodMap methods;
    rpc::RegisterInfo(*this, &methods);
    rpc::RegisterRules(*this, &methods);
    auto server = net::GrpcServer::Start({}, methods, nullptr, executor);
    EXPECT_TRUE(server.ok()) << server.status().message();
    server_ = *std::move(server);
  }
  std::string address() const { return "127.0.0.1:" + std::to_string(server_->port()); }

  net::GrpcStatus GetInfo(rpc::Info* info, const rpc::CallContext&) override {
    if (unhealthy) return {net::GrpcCode::kUnknown, "Not ready"};
    info->component = "sidecar";
    info->label_sets = {labels_};
    info->store = rpc::StoreInfo{0, kMaxTimeMs, true, true, false, {{labels_, 0, kMaxTimeMs}}};
    info->rules = true;
    return {};
  }
  net::GrpcStatus Rules(const rpc::RulesRequest&, rpc::Sink<rpc::RuleGroup>& out, const rpc::CallContext&) override {
    ++asked;
    if (failing) return {net::GrpcCode::kUnavailable, "Prometheus is away"};
    rpc::RuleGroup group;
    group.name = "group";
    group.file = "rules.yml";
    rpc::Rule rule;
    rule.name = "up:count";
    rule.query = "count(up)";
    rule.labels = labels_;
    group.rules.push_back(rule);
    return out.Send(group);
  }

  std::atomic<bool> unhealthy{false}, failing{false};
  std::atomic<int> asked{0};

 private:
  const Labels labels_;
  std::unique_ptr<net::GrpcServer> server_;
};

class ControlFanoutTest : public ::testing::Test {
 protected:
  ControlFanoutTest() {
    for (const RulesEndpoint* endpoint : {&a_, &b_, &other_})
      specs_.push_back({endpoint->address(), {endpoint->address()}, false, std::nullopt, {}});
    EndpointSetOptions options;
    options.info_timeout = std::chrono::seconds(5);
    set_ = std::make_unique<EndpointSet>(
        options, [this] { return specs_; }, rpc::ClientInstruments{}, pool_, clock_, registry_,
        telemetry::Logger::Discard());
    set_->Update(Cancel());
  }
  Result<Gathered<std::vector<rpc::RuleGroup>>> Rules(bool abort) {
    ControlFanout fanout(*set_, {"replica"}, {}, pool_);
    rpc::RulesRequest request;
    request.partial_response = abort ? wire::PartialResponse::kAbort : wire::PartialResponse::kWarn;
    return fanout.GatherRules(request, {});
  }
  static size_t Count(const std::vector<rpc::RuleGroup>& groups) {
    size_t rules = 0;
    for (const rpc::RuleGroup& group : groups) rules += group.rules.size();
    return rules;
  }

  ThreadPool pool_{"test", 32};
  SimulatedClock clock_{1'000'000};
  telemetry::Registry registry_;
  RulesEndpoint a_{pool_, "eu", "a"}, b_{pool_, "eu", "b"}, other_{pool_, "us", "a"};
  std::vector<EndpointSpec> specs_;
  std::unique_ptr<EndpointSet> set_;
};

TEST_F(ControlFanoutTest, CopiesOfReplicasAreToldOnce) {
  for (bool abort : {false, true}) {
    auto rules = Rules(abort);
    ASSERT_TRUE(rules.ok()) << rules.status().message();
    EXPECT_EQ(Count(rules->value), 2u);
    EXPECT_TRUE(rules->warnings.empty());
  }
}

TEST_F(ControlFanoutTest, AnUnhealthyEndpointIsNamedAndNotAsked) {
  a_.unhealthy = true;
  set_->Update(Cancel());
  auto rules = Rules(false);
  ASSERT_TRUE(rules.ok()) << rules.status().message();
  EXPECT_EQ(Count(rules->value), 2u);
  ASSERT_EQ(rules->warnings.size(), 1u);
  EXPECT_EQ(rules->warnings[0].find("fetch rules from " + a_.address()), 0u) << rules->warnings[0];
  EXPECT_NE(rules->warnings[0].find("Not ready"), std::string::npos) << rules->warnings[0];
  EXPECT_EQ(a_.asked, 0);
}

TEST_F(ControlFanoutTest, UnderAbortAReplicaStandsInAndNobodyElse) {
  a_.unhealthy = true;
  set_->Update(Cancel());
  auto rules = Rules(true);
  ASSERT_TRUE(rules.ok()) << rules.status().message();
  EXPECT_EQ(Count(rules->value), 2u);
  b_.failing = true;
  EXPECT_FALSE(Rules(true).ok());
  b_.failing = false;
  other_.failing = true;
  auto failed = Rules(true);
  ASSERT_FALSE(failed.ok());
  EXPECT_NE(failed.status().message().find("Prometheus is away"), std::string_view::npos);
}

TEST_F(ControlFanoutTest, ExemplarsAreAskedForInTheLanguageOfTheServer) {
  rpc::ExemplarsRequest request;
  request.query = "sort_by_label(up, \"job\")";
  ControlFanout stable(*set_, {"replica"}, {}, pool_);
  EXPECT_EQ(stable.GatherExemplars(request, {}).status().code(), Code::kInvalid);
  promql::ParserOptions parser;
  parser.experimental_functions = true;
  ControlFanout experimental(*set_, {"replica"}, parser, pool_);
  auto gathered = experimental.GatherExemplars(request, {});
  EXPECT_TRUE(gathered.ok()) << gathered.status().message();
}

}  // namespace
}  // namespace gauntlet::query
