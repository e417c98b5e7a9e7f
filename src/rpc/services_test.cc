// Each service as its client sees it: what the server says arrives whole, with warnings and the end's code.

#include <google/protobuf/timestamp.pb.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "base/executor.h"
#include "proto/thanos/info.pb.h"
#include "proto/thanos/query.pb.h"
#include "proto/thanos/rules.pb.h"
#include "rpc/exemplars.h"
#include "rpc/info.h"
#include "rpc/loopback_channel.h"
#include "rpc/metadata.h"
#include "rpc/query.h"
#include "rpc/rules.h"
#include "rpc/targets.h"
#include "rpc/tsdb_statistics.h"
#include "wire/testing/golden_storeapi.h"

namespace gauntlet::rpc {
namespace {

using net::GrpcCode;
using net::GrpcStatus;
using Strings = std::vector<std::string>;

Labels L(std::string name, std::string value) { return Labels::From({{std::move(name), std::move(value)}}); }

class ServicesTest : public testing::Test {
 protected:
  LoopbackChannel& Channel(MethodMap methods) {
    channel_ = std::make_unique<LoopbackChannel>(std::move(methods), pool_);
    return *channel_;
  }
  ThreadPool pool_{"test", 4};
  std::unique_ptr<LoopbackChannel> channel_;
};

// ---- Info ----

class FixedInfo : public InfoService {
 public:
  explicit FixedInfo(Info info) : info_(std::move(info)) {}
  GrpcStatus GetInfo(Info* info, const CallContext&) override {
    *info = info_;
    return {};
  }

 private:
  Info info_;
};

void ExpectSame(const Info& a, const Info& b) {
  EXPECT_EQ(a.label_sets, b.label_sets);
  EXPECT_EQ(a.component, b.component);
  ASSERT_EQ(a.store.has_value(), b.store.has_value());
  if (a.store) {
    EXPECT_EQ(a.store->min_time_ms, b.store->min_time_ms);
    EXPECT_EQ(a.store->max_time_ms, b.store->max_time_ms);
    EXPECT_EQ(a.store->supports_sharding, b.store->supports_sharding);
    EXPECT_EQ(a.store->supports_without_replica_labels, b.store->supports_without_replica_labels);
    EXPECT_EQ(a.store->supports_projections, b.store->supports_projections);
    ASSERT_EQ(a.store->tsdbs.size(), b.store->tsdbs.size());
    for (size_t i = 0; i < a.store->tsdbs.size(); ++i) {
      EXPECT_EQ(a.store->tsdbs[i].labels, b.store->tsdbs[i].labels);
      EXPECT_EQ(a.store->tsdbs[i].min_time_ms, b.store->tsdbs[i].min_time_ms);
      EXPECT_EQ(a.store->tsdbs[i].max_time_ms, b.store->tsdbs[i].max_time_ms);
    }
  }
  ASSERT_EQ(a.exemplars.has_value(), b.exemplars.has_value());
  if (a.exemplars) {
    EXPECT_EQ(a.exemplars->max_time_ms, b.exemplars->max_time_ms);
  }
  EXPECT_EQ(a.rules, b.rules);
  EXPECT_EQ(a.metadata, b.metadata);
  EXPECT_EQ(a.targets, b.targets);
  EXPECT_EQ(a.query, b.query);
  EXPECT_EQ(a.status, b.status);
}

TEST_F(ServicesTest, InfoArrivesWhole) {
  Info full{{L("replica", "a"), L("replica", "b")},
            "receive",
            StoreInfo{1, 2, true, true, true, {{L("tenant_id", "t"), 3, 4}}},
            ExemplarsInfo{5, 6},
            true,
            true,
            true,
            true,
            true};
  for (const Info& info : {full, Info()}) {
    FixedInfo service(info);
    MethodMap methods;
    RegisterInfo(service, &methods);
    Info back;
    ASSERT_TRUE(MakeInfoClient(Channel(methods))->GetInfo(&back, {}).ok());
    ExpectSame(back, info);
  }
}

TEST_F(ServicesTest, RecordedInfosKeepTheirMeaning) {
  int infos = 0;
  for (const wire::GoldenCall& call : wire::GoldenCalls()) {
    if (call.method != "/thanos.info.Info/Info") continue;
    MethodMap methods;
    methods[call.method] = [&call](net::GrpcServerCall& server) { return GrpcStatus(server.Write(call.frames.at(0))); };
    Info info;
    ASSERT_TRUE(MakeInfoClient(Channel(methods))->GetInfo(&info, {}).ok());
    EXPECT_NE(call.name.find(info.component + "/"), std::string::npos) << call.name;
    FixedInfo service(info);
    methods.clear();
    RegisterInfo(service, &methods);
    auto again = Channel(methods).Start("/thanos.info.Info/Info", {}, Cancel());
    ASSERT_TRUE(again->Write("").ok());
    std::string bytes;
    ASSERT_TRUE(*again->Read(&bytes));
    thanos::info::InfoResponse expected, got;
    ASSERT_TRUE(expected.ParseFromString(call.frames[0]));
    ASSERT_TRUE(got.ParseFromString(bytes));
    EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(expected, got)) << call.name;
    ++infos;
  }
  if (infos == 0) GTEST_SKIP() << "no golden data: set GAUNTLET_SHARED";
}

// ---- Rules ----

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

TEST(RpcTime, NeverIsGosZeroTime) {
  google::protobuf::Timestamp timestamp;
  FromNs(kNeverNs, &timestamp);
  EXPECT_EQ(timestamp.seconds(), -62135596800);
  EXPECT_EQ(ToNs(timestamp), kNeverNs);
  for (int64_t ns : {int64_t{0}, int64_t{-1}, int64_t{-1'000'000'000}, int64_t{1'700'000'000'999'999'999}}) {
    timestamp.Clear();
    FromNs(ns, &timestamp);
    EXPECT_GE(timestamp.nanos(), 0);
    EXPECT_EQ(ToNs(timestamp), ns);
  }
}

// ---- Targets, metadata, exemplars, statistics ----

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

// ---- Query ----

class FakeQuery : public QueryService {
 public:
  GrpcStatus Query(const InstantQuery& query, QuerySink& out, const CallContext&) override {
    instant = query;
    return Answer(out, 1);
  }
  GrpcStatus QueryRange(const RangeQuery& query, QuerySink& out, const CallContext&) override {
    range = query;
    return Answer(out, 100);
  }
  GrpcStatus Answer(QuerySink& out, int count) {
    Samples samples;
    for (int i = 0; i < count; ++i) {
      samples.times_ms.push_back(i * 1000);
      samples.values.push_back(i);
    }
    for (int i = 0; i < 5; ++i)
      if (Status sent = out.Series(L("n", std::to_string(i)), samples); !sent.ok()) return sent;
    if (Status sent = out.Warning("w"); !sent.ok()) return sent;
    return out.Statistics({50, 7});
  }
  InstantQuery instant;
  RangeQuery range;
};

struct Answer : QuerySink {
  Status Series(LabelsView labels, const Samples& samples) override {
    names.push_back(labels.ToString());
    sizes.push_back(samples.size());
    return {};
  }
  Status Warning(std::string_view warning) override {
    warnings.emplace_back(warning);
    return {};
  }
  Status Statistics(const QueryStatistics& s) override {
    statistics = s;
    return {};
  }
  Strings names, warnings;
  std::vector<size_t> sizes;
  QueryStatistics statistics;
};

TEST_F(ServicesTest, QueriesArriveWholeAndAnswerInBatchesWhenAsked) {
  FakeQuery service;
  MethodMap methods;
  RegisterQuery(service, &methods);
  auto client = MakeQueryClient(Channel(methods));
  for (int64_t batch_size : {0, 2, 64}) {
    RangeQuery query;
    query.query = "up";
    query.plan_json = "{}";
    query.timeout_seconds = 1;
    query.max_resolution_seconds = 2;
    query.lookback_delta_seconds = 3;
    query.replica_labels = {"replica"};
    query.store_matchers = {{Matcher::Equal("a", "b")}, {}};
    query.enable_dedup = query.enable_partial_response = query.skip_chunks = true;
    query.shard = {1, 2, true, {"x"}};
    query.engine = QueryEngine::kThanos;
    query.batch_size = batch_size;
    query.start_seconds = 4;
    query.end_seconds = 5;
    query.interval_seconds = 6;
    Answer answer;
    ASSERT_TRUE(client->QueryRange(query, answer, {}).ok());
    EXPECT_EQ(answer.names, (Strings{R"({n="0"})", R"({n="1"})", R"({n="2"})", R"({n="3"})", R"({n="4"})"}));
    EXPECT_EQ(answer.sizes, std::vector<size_t>(5, 100));
    EXPECT_EQ(answer.warnings, (Strings{"w"}));
    EXPECT_EQ(answer.statistics, (QueryStatistics{50, 7}));
    const RangeQuery& got = service.range;
    EXPECT_EQ(got.query, "up");
    EXPECT_EQ(got.plan_json, "{}");
    EXPECT_EQ(got.timeout_seconds, 1);
    EXPECT_EQ(got.max_resolution_seconds, 2);
    EXPECT_EQ(got.lookback_delta_seconds, 3);
    EXPECT_EQ(got.replica_labels, query.replica_labels);
    EXPECT_EQ(got.store_matchers, query.store_matchers);
    EXPECT_TRUE(got.enable_dedup && got.enable_partial_response && got.skip_chunks);
    EXPECT_EQ(got.shard, query.shard);
    EXPECT_EQ(got.engine, QueryEngine::kThanos);
    EXPECT_EQ(got.batch_size, batch_size);
    EXPECT_EQ(got.start_seconds, 4);
    EXPECT_EQ(got.end_seconds, 5);
    EXPECT_EQ(got.interval_seconds, 6);
  }
  InstantQuery instant;
  instant.query = "1";
  instant.time_seconds = 9;
  Answer answer;
  ASSERT_TRUE(client->Query(instant, answer, {}).ok());
  EXPECT_EQ(service.instant.time_seconds, 9);
  EXPECT_EQ(answer.sizes, std::vector<size_t>(5, 1));
}

TEST_F(ServicesTest, QueryFramesAreThoseOfTheContract) {
  FakeQuery service;
  MethodMap methods;
  RegisterQuery(service, &methods);
  thanos::QueryRequest request;
  request.set_response_batch_size(3);
  auto call = Channel(methods).Start("/thanos.Query/Query", {}, Cancel());
  ASSERT_TRUE(call->Write(request.SerializeAsString()).ok());
  std::vector<int> cases, sizes;
  std::string bytes;
  while (*call->Read(&bytes)) {
    thanos::QueryResponse frame;
    ASSERT_TRUE(frame.ParseFromString(bytes));
    cases.push_back(frame.result_case());
    sizes.push_back(frame.timeseries_batch().series_size());
  }
  EXPECT_EQ(cases, (std::vector<int>{4, 4, 1, 3}));
  EXPECT_EQ(sizes, (std::vector<int>{3, 2, 0, 0}));
}

}  // namespace
}  // namespace gauntlet::rpc
