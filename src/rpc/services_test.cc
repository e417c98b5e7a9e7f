// Targets, metadata, exemplars and statistics as their clients see them: what the server says arrives whole.

#include <gtest/gtest.h>

#include <cmath>

#include "rpc/exemplars.h"
#include "rpc/metadata.h"
#include "rpc/targets.h"
#include "rpc/testing/services_fixture.h"
#include "rpc/tsdb_statistics.h"

namespace gauntlet::rpc {
namespace {

using net::GrpcStatus;

TEST_F(ServicesTest, TargetsArriveWhole) {
  struct Fake : TargetsService {
    GrpcStatus Targets(const TargetsRequest& request, Sink<TargetDiscovery>& out, const CallContext&) override {
      last = request;
      TargetDiscovery targets;
      targets.active.push_back({L("__address__", "a:1"), L("job", "x"), "pool", "http://a:1/metrics",
                                "http://g:1/metrics", "refused", 1'700'000'000'000'000'001, 0.125, TargetHealth::kUp});
      targets.active.push_back({});
      targets.dropped.push_back(L("__address__", "b:1"));
      return out.Send(targets);
    }
    TargetsRequest last;
  } service;
  MethodMap methods;
  RegisterTargets(service, &methods);
  Collected<TargetDiscovery> got;
  TargetsRequest request{TargetState::kDropped, wire::PartialResponse::kAbort};
  ASSERT_TRUE(MakeTargetsClient(Channel(methods))->Targets(request, got, {}).ok());
  EXPECT_EQ(service.last.state, TargetState::kDropped);
  EXPECT_EQ(service.last.partial_response, wire::PartialResponse::kAbort);
  ASSERT_EQ(got.items.size(), 1u);
  ASSERT_EQ(got.items[0].active.size(), 2u);
  const ActiveTarget& target = got.items[0].active[0];
  EXPECT_EQ(target.discovered_labels, L("__address__", "a:1"));
  EXPECT_EQ(target.labels, L("job", "x"));
  EXPECT_EQ(target.scrape_pool, "pool");
  EXPECT_EQ(target.scrape_url, "http://a:1/metrics");
  EXPECT_EQ(target.global_url, "http://g:1/metrics");
  EXPECT_EQ(target.last_error, "refused");
  EXPECT_EQ(target.last_scrape_ns, 1'700'000'000'000'000'001);
  EXPECT_EQ(target.last_scrape_seconds, 0.125);
  EXPECT_EQ(target.health, TargetHealth::kUp);
  EXPECT_EQ(got.items[0].active[1].last_scrape_ns, kNeverNs);
  EXPECT_EQ(got.items[0].active[1].health, TargetHealth::kUnknown);
  EXPECT_EQ(got.items[0].dropped, (std::vector<Labels>{L("__address__", "b:1")}));
}

TEST_F(ServicesTest, MetadataArrivesWhole) {
  struct Fake : MetadataService {
    GrpcStatus Metadata(const MetadataRequest& request, Sink<MetricMetadata>& out, const CallContext&) override {
      last = request;
      return out.Send({{"up", {{"gauge", "Is it up?", ""}, {"counter", "other", "s"}}}, {"x", {{"summary", "", ""}}}});
    }
    MetadataRequest last;
  } service;
  MethodMap methods;
  RegisterMetadata(service, &methods);
  Collected<MetricMetadata> got;
  auto client = MakeMetadataClient(Channel(methods));
  ASSERT_TRUE(client->Metadata({"up", 5, wire::PartialResponse::kAbort}, got, {}).ok());
  EXPECT_EQ(service.last.metric, "up");
  EXPECT_EQ(service.last.limit, 5);
  EXPECT_EQ(service.last.partial_response, wire::PartialResponse::kAbort);
  ASSERT_EQ(got.items.size(), 1u);
  EXPECT_EQ(got.items[0]["up"], (std::vector<MetricMeta>{{"gauge", "Is it up?", ""}, {"counter", "other", "s"}}));
  EXPECT_EQ(got.items[0].size(), 2u);
  ASSERT_TRUE(client->Metadata({}, got, {}).ok());
  EXPECT_EQ(service.last.limit, -1);
}

TEST_F(ServicesTest, ExemplarsArriveWhole) {
  struct Fake : ExemplarsService {
    GrpcStatus Exemplars(const ExemplarsRequest& request, Sink<ExemplarData>& out, const CallContext&) override {
      last = request;
      if (Status sent = out.Warn("w"); !sent.ok()) return sent;
      return out.Send({L("job", "x"), {{L("trace_id", "1"), 2.5, 3}, {{}, -0.0, 4}}});
    }
    ExemplarsRequest last;
  } service;
  MethodMap methods;
  RegisterExemplars(service, &methods);
  Collected<ExemplarData> got;
  ASSERT_TRUE(
      MakeExemplarsClient(Channel(methods))->Exemplars({"up", 1, 2, wire::PartialResponse::kAbort}, got, {}).ok());
  EXPECT_EQ(service.last.query, "up");
  EXPECT_EQ(service.last.start_ms, 1);
  EXPECT_EQ(service.last.end_ms, 2);
  EXPECT_EQ(service.last.partial_response, wire::PartialResponse::kAbort);
  EXPECT_EQ(got.warnings, (Strings{"w"}));
  ASSERT_EQ(got.items.size(), 1u);
  EXPECT_EQ(got.items[0].series_labels, L("job", "x"));
  ASSERT_EQ(got.items[0].exemplars.size(), 2u);
  EXPECT_EQ(got.items[0].exemplars[0].labels, L("trace_id", "1"));
  EXPECT_EQ(got.items[0].exemplars[0].value, 2.5);
  EXPECT_EQ(got.items[0].exemplars[0].time_ms, 3);
  EXPECT_TRUE(std::signbit(got.items[0].exemplars[1].value));
}

TEST_F(ServicesTest, StatisticsArriveWhole) {
  struct Fake : StatusService {
    GrpcStatus Statistics(const TsdbStatisticsRequest& request, Sink<TsdbStatistics>& out,
                          const CallContext&) override {
      last = request;
      return out.Send({{"t1", {1, 2, 3, 4, 5, {{"up", 6}}, {{"job", 7}}, {{"job", 8}}, {{"job=x", 9}}}}, {"t2", {}}});
    }
    TsdbStatisticsRequest last;
  } service;
  MethodMap methods;
  RegisterStatus(service, &methods);
  Collected<TsdbStatistics> got;
  TsdbStatisticsRequest request{"t1", 10, wire::PartialResponse::kAbort, {Matcher::Equal("a", "b")}};
  ASSERT_TRUE(MakeStatusClient(Channel(methods))->Statistics(request, got, {}).ok());
  EXPECT_EQ(service.last.tenant, "t1");
  EXPECT_EQ(service.last.limit, 10);
  EXPECT_EQ(service.last.partial_response, wire::PartialResponse::kAbort);
  EXPECT_EQ(service.last.matchers, request.matchers);
  ASSERT_EQ(got.items.size(), 1u);
  ASSERT_EQ(got.items[0].size(), 2u);
  const TsdbStatisticsEntry& entry = got.items[0]["t1"];
  EXPECT_EQ(entry.series, 1u);
  EXPECT_EQ(entry.label_pairs, 2);
  EXPECT_EQ(entry.chunks, 3);
  EXPECT_EQ(entry.min_time_ms, 4);
  EXPECT_EQ(entry.max_time_ms, 5);
  EXPECT_EQ(entry.series_by_metric_name, (std::vector<Statistic>{{"up", 6}}));
  EXPECT_EQ(entry.values_by_label_name, (std::vector<Statistic>{{"job", 7}}));
  EXPECT_EQ(entry.memory_bytes_by_label_name, (std::vector<Statistic>{{"job", 8}}));
  EXPECT_EQ(entry.series_by_label_pair, (std::vector<Statistic>{{"job=x", 9}}));
}

}  // namespace
}  // namespace gauntlet::rpc
