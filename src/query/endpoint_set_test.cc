#include "query/endpoint_set.h"

#include <gtest/gtest.h>

#include <atomic>

#include "base/executor.h"

namespace gauntlet::query {
namespace {

// An endpoint that says what it is, over real gRPC on loopback.
class FakeEndpoint : public rpc::InfoService {
 public:
  explicit FakeEndpoint(Executor& executor, Labels labels) : labels_(std::move(labels)), executor_(executor) {
    Start(0);
  }

  void Start(int port) {
    rpc::MethodMap methods;
    rpc::RegisterInfo(*this, &methods);
    net::GrpcServerOptions options;
    options.address = "127.0.0.1:" + std::to_string(port);
    auto server = net::GrpcServer::Start(options, methods, nullptr, executor_);
    ASSERT_TRUE(server.ok()) << server.status().message();
    server_ = *std::move(server);
    port_ = server_->port();
  }
  void Stop() {
    server_->Shutdown(std::chrono::milliseconds(0));
    server_.reset();
  }
  void Break(bool broken) { broken_ = broken; }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

  net::GrpcStatus GetInfo(rpc::Info* info, const rpc::CallContext&) override {
    if (broken_) return {net::GrpcCode::kUnknown, "Not ready"};
    info->component = "sidecar";
    info->label_sets = {labels_};
    rpc::StoreInfo store;
    store.min_time_ms = 10;
    store.max_time_ms = 20;
    store.tsdbs = {{labels_, 10, 20}};
    info->store = store;
    info->rules = true;
    info->exemplars = rpc::ExemplarsInfo();  // no times, like the real sidecar
    return {};
  }

 private:
  const Labels labels_;
  Executor& executor_;
  std::unique_ptr<net::GrpcServer> server_;
  int port_ = 0;
  std::atomic<bool> broken_{false};
};

class EndpointSetTest : public ::testing::Test {
 protected:
  EndpointSet MakeSet() {
    EndpointSetOptions options;
    options.info_timeout = std::chrono::seconds(2);
    options.unhealthy_timeout = std::chrono::minutes(5);
    return EndpointSet(options, [this] { return specs_; }, {}, pool_, clock_, registry_, telemetry::Logger::Discard());
  }
  static EndpointSpec Spec(const std::string& address, bool strict = false) {
    return {address, {address}, strict, std::nullopt, {}};
  }

  ThreadPool pool_{"test", 32};
  SimulatedClock clock_{1'000'000};
  telemetry::Registry registry_;
  std::vector<EndpointSpec> specs_;
};

TEST_F(EndpointSetTest, KnowsWhatEndpointsSayOfThemselves) {
  FakeEndpoint one(pool_, Labels::From({{"replica", "a"}})), two(pool_, Labels::From({{"replica", "b"}}));
  specs_ = {Spec(one.address()), Spec(two.address()), Spec(one.address())};
  EndpointSet set = MakeSet();
  set.Update(Cancel());
  ASSERT_EQ(set.Stores().size(), 2u);
  EXPECT_EQ(set.Controls().size(), 2u);
  EXPECT_NE(set.Controls()[0].rules, nullptr);
  EXPECT_EQ(set.Controls()[0].targets, nullptr);
  EXPECT_NE(set.Controls()[0].exemplars, nullptr);
  EXPECT_EQ(set.Controls()[0].exemplars_min_ms, kMinTimeMs);
  EXPECT_EQ(set.Controls()[0].exemplars_max_ms, kMaxTimeMs);
  auto status = set.Statuses();
  ASSERT_EQ(status.size(), 2u);
  EXPECT_EQ(status[0].component, "sidecar");
  EXPECT_EQ(status[0].min_time_ms, 10);
  std::string metrics = registry_.Expose(false);
  EXPECT_NE(metrics.find("thanos_query_duplicated_endpoint_addresses_total 1"), std::string::npos);
  EXPECT_NE(
      metrics.find(R"(thanos_store_nodes_grpc_connections{external_labels="{replica=\"a\"}",store_type="sidecar"} 1)"),
      std::string::npos)
      << metrics;
}

TEST_F(EndpointSetTest, AnEndpointThatStopsAnsweringStaysUnhealthyThenGoes) {
  FakeEndpoint one(pool_, Labels::From({{"replica", "a"}}));
  specs_ = {Spec(one.address())};
  EndpointSet set = MakeSet();
  set.Update(Cancel());
  one.Break(true);
  set.Update(Cancel());
  ASSERT_EQ(set.Stores().size(), 1u);
  EXPECT_FALSE(set.Stores()[0]->health.ok());
  ASSERT_EQ(set.Controls().size(), 1u);
  EXPECT_FALSE(set.Controls()[0].endpoint->health.ok());
  EXPECT_NE(set.Statuses()[0].last_error.find("Not ready"), std::string::npos);
  clock_.Advance(std::chrono::minutes(6));
  set.Update(Cancel());
  EXPECT_TRUE(set.Stores().empty());
  one.Break(false);
  set.Update(Cancel());
  ASSERT_EQ(set.Stores().size(), 1u);
  EXPECT_TRUE(set.Stores()[0]->health.ok());
}

TEST_F(EndpointSetTest, AnEndpointNeverSeenIsNotAskedUnlessItIsStrict) {
  FakeEndpoint gone(pool_, Labels());
  gone.Stop();
  specs_ = {Spec(gone.address())};
  {
    EndpointSet set = MakeSet();
    set.Update(Cancel());
    EXPECT_TRUE(set.Stores().empty());
    EXPECT_EQ(set.Statuses().size(), 1u);
  }
  specs_ = {Spec(gone.address(), true)};
  EndpointSet set = MakeSet();
  set.Update(Cancel());
  ASSERT_EQ(set.Stores().size(), 1u);
  EXPECT_TRUE(set.Stores()[0]->health.ok());
  EXPECT_EQ(set.Stores()[0]->min_time_ms, kMinTimeMs);
}

TEST_F(EndpointSetTest, WhatLeavesTheSpecificationsIsForgotten) {
  FakeEndpoint one(pool_, Labels::From({{"replica", "a"}}));
  specs_ = {Spec(one.address())};
  EndpointSet set = MakeSet();
  set.Update(Cancel());
  specs_.clear();
  set.Update(Cancel());
  EXPECT_TRUE(set.Stores().empty());
  EXPECT_TRUE(set.Statuses().empty());
}

}  // namespace
}  // namespace gauntlet::query
