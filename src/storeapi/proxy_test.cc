#include "storeapi/proxy.h"

#include <gtest/gtest.h>

#include "base/executor.h"
#include "storeapi/testing/fake_store.h"

namespace gauntlet::storeapi {
namespace {

class ProxyTest : public ::testing::Test {
 protected:
  void Add(std::string address, Labels external, std::shared_ptr<FakeStore> store, int64_t min = kMinTimeMs,
           int64_t max = kMaxTimeMs, Status health = Status()) {
    auto endpoint = std::make_shared<Endpoint>();
    endpoint->address = std::move(address);
    endpoint->tsdbs = {{std::move(external), min, max}};
    endpoint->min_time_ms = min;
    endpoint->max_time_ms = max;
    endpoint->supports_sharding = endpoint->supports_without_replica_labels = true;
    endpoint->store = std::move(store);
    endpoint->health = std::move(health);
    endpoints_.push_back(std::move(endpoint));
  }
  std::shared_ptr<FakeStore> MakeStore(const char* replica, int count) {
    std::vector<FakeSeries> series;
    for (int i = 0; i < count; ++i)
      series.push_back({MakeLabels({{"n", std::to_string(i).c_str()}, {"replica", replica}}), {{i, replica}}});
    return std::make_shared<FakeStore>(std::move(series));
  }
  SeriesRequest Request(Matchers matchers = {Matcher::Equal("n", "0")}) {
    SeriesRequest request;
    request.min_time_ms = 0;
    request.max_time_ms = 1000;
    request.matchers = std::move(matchers);
    return request;
  }
  Proxy MakeProxy(ProxyOptions options = {}) {
    return Proxy(std::move(options), [this] { return endpoints_; }, pool_, telemetry::Logger::Discard());
  }

  std::vector<EndpointPtr> endpoints_;
  ThreadPool pool_{"test", 8};
};

TEST_F(ProxyTest, MergesAllThatMayHaveSomething) {
  Add("a:1", MakeLabels({{"replica", "a"}}), MakeStore("a", 2));
  Add("b:1", MakeLabels({{"replica", "b"}}), MakeStore("b", 2));
  Proxy proxy = MakeProxy();
  EXPECT_EQ(Drain(*proxy.Series(Request(), {})),
            (std::vector<std::string>{R"({n="0", replica="a"} 0:a)", R"({n="0", replica="b"} 0:b)"}));
}

TEST_F(ProxyTest, TimesAndExternalLabelsChooseEndpoints) {
  auto unasked = std::make_shared<FakeStore>(std::vector<FakeSeries>{});
  unasked->FailAfter(0, Status(Code::kInternal, "should not be asked"));
  Add("early:1", Labels(), unasked, -100, -1);
  Add("other:1", MakeLabels({{"cluster", "us"}}), unasked);
  Add("mine:1", MakeLabels({{"cluster", "eu"}}), MakeStore("a", 1));
  Proxy proxy = MakeProxy();
  auto merged =
      proxy.Select(Request({Matcher::Equal("n", "0"), *Matcher::Make(MatchType::kNotEqual, "cluster", "us")}), {}, {});
  MergedSeries series;
  EXPECT_TRUE(*merged->Next(&series));
  EXPECT_FALSE(*merged->Next(&series));
  EXPECT_TRUE(merged->TakeWarnings().empty());
}

TEST_F(ProxyTest, StoreMatchersChooseByAddress) {
  Add("a:1", Labels(), MakeStore("a", 1));
  Add("b:1", Labels(), MakeStore("b", 1));
  Proxy proxy = MakeProxy();
  ProxyScope scope;
  scope.store_matchers = {{Matcher::Equal("__address__", "b:1")}};
  auto merged = proxy.Select(Request(), {}, scope);
  MergedSeries series;
  ASSERT_TRUE(*merged->Next(&series));
  EXPECT_EQ(series.labels.Get("replica"), "b");
  EXPECT_FALSE(*merged->Next(&series));
}

TEST_F(ProxyTest, AFailureIsAWarningThatNamesTheEndpoint) {
  auto broken = MakeStore("a", 2);
  broken->FailAfter(0, Status(Code::kUnavailable, "connection refused"));
  Add("dead:1", MakeLabels({{"replica", "a"}}), broken);
  Add("gone:1", MakeLabels({{"replica", "c"}}), MakeStore("c", 1), kMinTimeMs, kMaxTimeMs,
      Status(Code::kUnavailable, "not healthy"));
  Add("live:1", MakeLabels({{"replica", "b"}}), MakeStore("b", 1));
  Proxy proxy = MakeProxy();
  auto merged = proxy.Select(Request(), {}, {});
  MergedSeries series;
  ASSERT_TRUE(*merged->Next(&series));
  EXPECT_EQ(series.labels.Get("replica"), "b");
  EXPECT_FALSE(*merged->Next(&series));
  std::vector<std::string> warnings = merged->TakeWarnings();
  ASSERT_EQ(warnings.size(), 2u);
  EXPECT_NE((warnings[0] + warnings[1]).find("dead:1"), std::string::npos);
  EXPECT_NE((warnings[0] + warnings[1]).find("gone:1"), std::string::npos);
}

TEST_F(ProxyTest, UnderAbortAFailureEndsTheAnswer) {
  auto broken = MakeStore("a", 2);
  broken->FailAfter(1, Status(Code::kUnavailable, "connection reset"));
  Add("dead:1", Labels(), broken);
  Add("live:1", Labels(), MakeStore("b", 3));
  Proxy proxy = MakeProxy();
  SeriesRequest request = Request({*Matcher::Make(MatchType::kRegexp, "n", ".+")});
  request.partial_response = PartialResponse::kAbort;
  std::vector<std::string> lines = Drain(*proxy.Series(request, {}));
  ASSERT_FALSE(lines.empty());
  EXPECT_NE(lines.back().find("error: receive series from Addr: dead:1"), std::string::npos);
}

TEST_F(ProxyTest, UnderAbortAReplicaStandsInForTheDead) {
  auto broken = MakeStore("a", 2);
  broken->FailAfter(1, Status(Code::kUnavailable, "connection reset"));
  Add("dead:1", MakeLabels({{"cluster", "eu"}, {"replica", "a"}}), broken);
  Add("gone:1", MakeLabels({{"cluster", "eu"}, {"replica", "c"}}), MakeStore("c", 1), kMinTimeMs, kMaxTimeMs,
      Status(Code::kUnavailable, "not healthy"));
  Add("live:1", MakeLabels({{"cluster", "eu"}, {"replica", "b"}}), MakeStore("b", 3));
  Proxy proxy = MakeProxy();
  SeriesRequest request = Request({*Matcher::Make(MatchType::kRegexp, "n", ".+")});
  request.partial_response = PartialResponse::kAbort;
  request.without_replica_labels = {"replica"};
  std::vector<std::string> lines = Drain(*proxy.Series(request, {}));
  EXPECT_EQ(lines.size(), 4u);  // the fake does not drop labels: a's first, and b's three
  EXPECT_EQ(lines.back().find("error: "), std::string::npos);
  LabelsRequest labels;
  labels.label = "n";
  labels.start_ms = 0;
  labels.end_ms = 1000;
  labels.partial_response = PartialResponse::kAbort;
  labels.without_replica_labels = {"replica"};
  auto values = proxy.LabelValues(labels, {});
  ASSERT_TRUE(values.ok()) << values.status().message();
  EXPECT_EQ(values->values, (std::vector<std::string>{"0", "1", "2"}));
  EXPECT_TRUE(values->warnings.empty());
  // Replicas are not told apart without deduplication.
  request.without_replica_labels.clear();
  labels.without_replica_labels.clear();
  EXPECT_EQ(Drain(*proxy.Series(request, {})).back().find("error: receive series from Addr: "), 0u);
  EXPECT_FALSE(proxy.LabelValues(labels, {}).ok());
}

TEST_F(ProxyTest, LimitCountsMergedSeries) {
  Add("a:1", Labels(), MakeStore("x", 5));
  Add("b:1", Labels(), MakeStore("x", 5));
  Proxy proxy = MakeProxy();
  SeriesRequest request = Request({Matcher::Equal("replica", "x")});
  request.limit = 3;
  EXPECT_EQ(Drain(*proxy.Series(request, {})).size(), 3u);
}

TEST_F(ProxyTest, CancelReachesEndpointsThatHang) {
  auto hanging = MakeStore("a", 1);
  hanging->Hang();
  Add("slow:1", Labels(), hanging);
  Add("b:1", Labels(), MakeStore("b", 1));
  Proxy proxy = MakeProxy();
  CancelSource source;
  CallContext context;
  context.cancel = source.cancel();
  auto merged = proxy.Select(Request(), context, {});
  std::thread stopper([&] { source.Stop(); });
  MergedSeries series;
  EXPECT_FALSE(merged->Next(&series).ok());
  stopper.join();
}

TEST_F(ProxyTest, LabelsAreTheUnionWithWarnings) {
  auto broken = MakeStore("c", 1);
  broken->FailAfter(0, Status(Code::kUnavailable, "refused"));
  Add("a:1", Labels(), MakeStore("a", 2));
  Add("b:1", Labels(), MakeStore("b", 3));
  Add("c:1", Labels(), broken);
  Proxy proxy = MakeProxy();
  LabelsRequest request;
  request.label = "replica";
  auto values = proxy.LabelValues(request, {});
  ASSERT_TRUE(values.ok());
  EXPECT_EQ(values->values, (std::vector<std::string>{"a", "b"}));
  ASSERT_EQ(values->warnings.size(), 1u);
  EXPECT_NE(values->warnings[0].find("fetch label values from store Addr: c:1"), std::string::npos);
  request.limit = 1;
  EXPECT_EQ(proxy.LabelNames(request, {})->values.size(), 1u);
  request.partial_response = PartialResponse::kAbort;
  EXPECT_FALSE(proxy.LabelValues(request, {}).ok());
}

TEST_F(ProxyTest, SelectorLabelsAreMatchedAndStripped) {
  Add("a:1", Labels(), MakeStore("a", 1));
  ProxyOptions options;
  options.selector_labels = MakeLabels({{"region", "eu"}});
  Proxy proxy = MakeProxy(std::move(options));
  EXPECT_EQ(Drain(*proxy.Series(Request({Matcher::Equal("region", "eu"), Matcher::Equal("n", "0")}), {})).size(), 1u);
  EXPECT_TRUE(Drain(*proxy.Series(Request({Matcher::Equal("region", "us"), Matcher::Equal("n", "0")}), {})).empty());
  EXPECT_EQ(Drain(*proxy.Series(Request({Matcher::Equal("region", "eu")}), {})),
            (std::vector<std::string>{"error: no matchers specified (excluding selector labels)"}));
}

TEST_F(ProxyTest, NoStoresAtAllIsAnErrorOnlyUnderAbort) {
  Proxy proxy = MakeProxy();
  EXPECT_TRUE(Drain(*proxy.Series(Request(), {})).empty());
  SeriesRequest request = Request();
  request.partial_response = PartialResponse::kAbort;
  EXPECT_EQ(Drain(*proxy.Series(request, {})).back(), "error: No StoreAPIs available");
}

}  // namespace
}  // namespace gauntlet::storeapi
