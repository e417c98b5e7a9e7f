#include "rpc/query.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "proto/thanos/query.pb.h"
#include "rpc/testing/services_fixture.h"

namespace gauntlet::rpc {
namespace {

using net::GrpcStatus;

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
