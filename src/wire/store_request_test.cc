#include "wire/store_request.h"

#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include "proto/prometheus/remote.pb.h"
#include "proto/thanos/hints.pb.h"
#include "proto/thanos/store.pb.h"
#include "wire/read_request.h"
#include "wire/testing/golden_storeapi.h"

namespace gauntlet::wire {
namespace {

using google::protobuf::util::MessageDifferencer;

Matchers SomeMatchers() {
  Matchers matchers;
  for (auto [type, value] : {std::pair(MatchType::kEqual, "up"), std::pair(MatchType::kNotEqual, ""),
                             std::pair(MatchType::kRegexp, "a|b.*"), std::pair(MatchType::kNotRegexp, "x+")})
    matchers.push_back(*Matcher::Make(type, "name", value));
  return matchers;
}

SeriesRequest FullRequest() {
  SeriesRequest request;
  request.min_time_ms = -7;
  request.max_time_ms = 1767571200000;
  request.matchers = SomeMatchers();
  request.max_resolution_ms = 300000;
  request.aggregates = {Aggregate::kCount, Aggregate::kCounter};
  request.partial_response_disabled = true;
  request.partial_response = PartialResponse::kAbort;
  request.skip_chunks = true;
  request.hints = EncodeRequestHints(HintsOf::kSeries, {SomeMatchers(), true});
  request.step_ms = 15000;
  request.range_ms = 60000;
  request.query_hints = QueryHints{15000, "rate", true, {"job"}, 60000, {"pod"}, true, "hash"};
  request.shard = {1, 3, true, {"instance"}};
  request.without_replica_labels = {"replica", "rule_replica"};
  request.limit = 9;
  request.batch_size = 64;
  return request;
}

void ExpectSame(const SeriesRequest& a, const SeriesRequest& b) {
  EXPECT_EQ(a.min_time_ms, b.min_time_ms);
  EXPECT_EQ(a.max_time_ms, b.max_time_ms);
  EXPECT_EQ(a.matchers, b.matchers);
  EXPECT_EQ(a.max_resolution_ms, b.max_resolution_ms);
  EXPECT_EQ(a.aggregates, b.aggregates);
  EXPECT_EQ(a.partial_response_disabled, b.partial_response_disabled);
  EXPECT_EQ(a.partial_response, b.partial_response);
  EXPECT_EQ(a.skip_chunks, b.skip_chunks);
  EXPECT_EQ(a.hints, b.hints);
  EXPECT_EQ(a.step_ms, b.step_ms);
  EXPECT_EQ(a.range_ms, b.range_ms);
  EXPECT_EQ(a.query_hints, b.query_hints);
  EXPECT_EQ(a.shard, b.shard);
  EXPECT_EQ(a.without_replica_labels, b.without_replica_labels);
  EXPECT_EQ(a.limit, b.limit);
  EXPECT_EQ(a.batch_size, b.batch_size);
}

TEST(StoreRequest, EveryFieldOfSeriesComesBack) {
  SeriesRequest request = FullRequest();
  auto back = DecodeSeriesRequest(EncodeSeriesRequest(request));
  ASSERT_TRUE(back.ok()) << back.status().message();
  ExpectSame(*back, request);
  auto empty = DecodeSeriesRequest(EncodeSeriesRequest({}));
  ASSERT_TRUE(empty.ok());
  ExpectSame(*empty, {});
}

TEST(StoreRequest, EveryFieldOfTheLabelCallsComesBack) {
  LabelValuesRequest request;
  request.label = "job";
  request.partial_response_disabled = true;
  request.partial_response = PartialResponse::kAbort;
  request.start_ms = 1;
  request.end_ms = 2;
  request.hints = EncodeRequestHints(HintsOf::kLabelValues, {SomeMatchers(), false});
  request.matchers = SomeMatchers();
  request.without_replica_labels = {"replica"};
  request.limit = 3;
  auto back = DecodeLabelValuesRequest(EncodeLabelValuesRequest(request));
  ASSERT_TRUE(back.ok());
  auto names = DecodeLabelNamesRequest(EncodeLabelNamesRequest(request));
  ASSERT_TRUE(names.ok());
  EXPECT_EQ(back->label, "job");
  for (const LabelNamesRequest* got : {static_cast<LabelNamesRequest*>(&*back), &*names}) {
    EXPECT_TRUE(got->partial_response_disabled);
    EXPECT_EQ(got->partial_response, PartialResponse::kAbort);
    EXPECT_EQ(got->start_ms, 1);
    EXPECT_EQ(got->end_ms, 2);
    EXPECT_EQ(got->hints, request.hints);
    EXPECT_EQ(got->matchers, request.matchers);
    EXPECT_EQ(got->without_replica_labels, request.without_replica_labels);
    EXPECT_EQ(got->limit, 3);
  }
}

TEST(StoreRequest, UnknownMatcherTypeAndBadRegexpAreInvalid) {
  for (auto [type, value] : {std::pair(7, "x"), std::pair(static_cast<int>(thanos::LabelMatcher::RE), "(")}) {
    thanos::SeriesRequest message;
    message.add_matchers()->set_type(static_cast<thanos::LabelMatcher::Type>(type));
    message.mutable_matchers(0)->set_value(value);
    EXPECT_EQ(DecodeSeriesRequest(message.SerializeAsString()).status().code(), Code::kInvalid) << value;
  }
}

TEST(StoreRequest, TruncatedBytesAreAnErrorOrAShorterRequest) {
  std::string whole = EncodeSeriesRequest(FullRequest());
  for (size_t cut = 0; cut < whole.size(); ++cut) {
    thanos::SeriesRequest judge;
    std::string bytes = whole.substr(0, cut);
    EXPECT_EQ(DecodeSeriesRequest(bytes).ok(), judge.ParseFromString(bytes)) << cut;
  }
}

// Decoded into our structs and encoded again, a recorded request says the same, but for what it left unsaid.
TEST(StoreRequest, RecordedRequestsKeepTheirMeaning) {
  std::vector<GoldenCall> calls = GoldenCalls();
  if (calls.empty()) GTEST_SKIP() << "no golden data: set GAUNTLET_SHARED";
  int same = 0;
  for (const GoldenCall& call : calls) {
    auto expect_same = [&](auto message, const std::string& encoded) {
      auto again = message;
      ASSERT_TRUE(message.ParseFromString(call.request));
      ASSERT_TRUE(again.ParseFromString(encoded));
      EXPECT_TRUE(MessageDifferencer::Equals(message, again)) << call.name << "\n"
                                                              << message.ShortDebugString() << "\n"
                                                              << again.ShortDebugString();
      ++same;
    };
    if (call.method == "/thanos.Store/Series") {
      auto request = DecodeSeriesRequest(call.request);
      if (!request.ok()) {
        EXPECT_EQ(request.status().code(), Code::kInvalid) << call.name;  // a recorded bad regexp
        continue;
      }
      thanos::SeriesRequest message;
      message.ParseFromString(call.request);
      if (message.has_query_hints() && !message.query_hints().has_grouping()) continue;  // we always send it
      expect_same(thanos::SeriesRequest(), EncodeSeriesRequest(*request));
    } else if (call.method == "/thanos.Store/LabelNames") {
      auto request = DecodeLabelNamesRequest(call.request);
      ASSERT_TRUE(request.ok()) << call.name;
      expect_same(thanos::LabelNamesRequest(), EncodeLabelNamesRequest(*request));
    } else if (call.method == "/thanos.Store/LabelValues") {
      auto request = DecodeLabelValuesRequest(call.request);
      ASSERT_TRUE(request.ok()) << call.name;
      expect_same(thanos::LabelValuesRequest(), EncodeLabelValuesRequest(*request));
    }
  }
  EXPECT_GT(same, 150);
}

TEST(LabelsResponse, AreTheBytesThatProtobufWrites) {
  LabelsResponse response{{"a", "", "b"}, {"late"}, EncodeResponseHints(HintsOf::kLabelNames, {{"01H"}, {}})};
  std::string bytes = EncodeLabelsResponse(response);
  thanos::LabelNamesResponse names;
  thanos::LabelValuesResponse values;
  ASSERT_TRUE(names.ParseFromString(bytes));
  ASSERT_TRUE(values.ParseFromString(bytes));
  EXPECT_EQ(names.SerializeAsString(), bytes);
  EXPECT_EQ(values.SerializeAsString(), bytes);
  EXPECT_EQ(names.names_size(), 3);
  EXPECT_EQ(names.warnings(0), "late");
  auto back = DecodeLabelsResponse(bytes);
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->values, response.values);
  EXPECT_EQ(back->warnings, response.warnings);
  EXPECT_EQ(back->hints, response.hints);
  for (size_t cut = 0; cut < bytes.size(); ++cut)
    EXPECT_EQ(DecodeLabelsResponse(bytes.substr(0, cut)).ok(), names.ParseFromString(bytes.substr(0, cut))) << cut;
}

TEST(Hints, QueryStatsKeepEveryNumber) {
  ResponseHints hints;
  hints.queried_blocks = {"01A", "01B"};
  hints.stats.emplace();
  // 1 to 20 by reflection, so that none is forgotten and none stands for another.
  thanos::SeriesResponse frame;
  hintspb::SeriesResponseHints message;
  for (int i = 1; i <= 20; ++i)
    message.mutable_query_stats()->GetReflection()->SetInt64(
        message.mutable_query_stats(), message.query_stats().GetDescriptor()->FindFieldByNumber(i), i * 10);
  message.mutable_query_stats()->mutable_get_all_duration()->set_seconds(1);
  message.mutable_query_stats()->mutable_get_all_duration()->set_nanos(5);
  message.mutable_query_stats()->mutable_merge_duration()->set_nanos(7);
  message.add_queried_blocks()->set_id("01A");
  frame.mutable_hints()->PackFrom(message);
  auto back = DecodeResponseHints(HintsOf::kSeries, frame.hints().SerializeAsString());
  ASSERT_TRUE(back.ok()) << back.status().message();
  ASSERT_TRUE(back->stats.has_value());
  EXPECT_EQ(back->stats->blocks_queried, 10);
  EXPECT_EQ(back->stats->postings_fetch_count, 90);
  EXPECT_EQ(back->stats->data_downloaded_size_sum, 200);
  EXPECT_EQ(back->stats->get_all_duration_ns, 1'000'000'005);
  EXPECT_EQ(EncodeResponseHints(HintsOf::kSeries, *back), frame.hints().SerializeAsString());
}

TEST(Hints, OfEachCallComeBackAndNoneIsTakenForAnother) {
  for (HintsOf call : {HintsOf::kSeries, HintsOf::kLabelNames, HintsOf::kLabelValues}) {
    RequestHints request{SomeMatchers(), call == HintsOf::kSeries};
    auto back = DecodeRequestHints(call, EncodeRequestHints(call, request));
    ASSERT_TRUE(back.ok());
    EXPECT_EQ(back->block_matchers, request.block_matchers);
    EXPECT_EQ(back->enable_query_stats, request.enable_query_stats);
    auto response = DecodeResponseHints(call, EncodeResponseHints(call, {{"01A"}, {}}));
    ASSERT_TRUE(response.ok());
    EXPECT_EQ(response->queried_blocks, (std::vector<std::string>{"01A"}));
    HintsOf other = call == HintsOf::kSeries ? HintsOf::kLabelNames : HintsOf::kSeries;
    EXPECT_EQ(DecodeRequestHints(other, EncodeRequestHints(call, request)).status().code(), Code::kInvalid);
    EXPECT_TRUE(DecodeRequestHints(call, "").ok());
    EXPECT_FALSE(DecodeRequestHints(call, "\x0a\x05").ok());
  }
}

TEST(ReadRequest, ComesBackAndPrefersChunks) {
  ReadRequest request;
  request.queries.push_back({1, 2, SomeMatchers(), ReadHints{15, "rate", 3, 4, {"job"}, true, 5}});
  request.queries.push_back({5, 6, {}, {}});
  for (bool chunks : {true, false}) {
    request.accepts_chunks = chunks;
    std::string bytes = EncodeReadRequest(request);
    prometheus::ReadRequest judge;
    ASSERT_TRUE(judge.ParseFromString(bytes));
    EXPECT_EQ(judge.accepted_response_types_size(), chunks ? 2 : 0);
    auto back = DecodeReadRequest(bytes);
    ASSERT_TRUE(back.ok());
    EXPECT_EQ(back->accepts_chunks, chunks);
    ASSERT_EQ(back->queries.size(), 2u);
    EXPECT_EQ(back->queries[0].matchers, request.queries[0].matchers);
    EXPECT_EQ(back->queries[0].hints, request.queries[0].hints);
    EXPECT_EQ(back->queries[1].start_ms, 5);
    EXPECT_EQ(back->queries[1].end_ms, 6);
    EXPECT_FALSE(back->queries[1].hints.has_value());
  }
}

TEST(ReadRequest, SamplesFirstMeansSamples) {
  prometheus::ReadRequest message;
  message.add_accepted_response_types(prometheus::ReadRequest::SAMPLES);
  message.add_accepted_response_types(prometheus::ReadRequest::STREAMED_XOR_CHUNKS);
  auto request = DecodeReadRequest(message.SerializeAsString());
  ASSERT_TRUE(request.ok());
  EXPECT_FALSE(request->accepts_chunks);
}

}  // namespace
}  // namespace gauntlet::wire
