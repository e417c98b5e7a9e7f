#include "sidecar/prometheus_store.h"

#include <gtest/gtest.h>

#include <thread>

#include "sidecar/testing/scripted_prometheus.h"
#include "tsdb/chunkenc/transcode.h"
#include "wire/chunked_read.h"

namespace gauntlet::sidecar {
namespace {

Labels Make(std::initializer_list<std::pair<const char*, const char*>> pairs) {
  return Labels::From({pairs.begin(), pairs.end()});
}

// A ChunkedReadResponse of one series with one chunk of two samples.
std::string Message(const Labels& labels, uint8_t encoding = 1) {
  Samples samples;
  samples.times_ms = {1000, 2000};
  samples.values = {1, 2};
  std::vector<tsdb::EncodedChunk> encoded;
  tsdb::EncodeSamples(samples, 120, &encoded);
  wire::ChunkView chunk;
  chunk.min_time_ms = 1000;
  chunk.max_time_ms = 2000;
  chunk.data = encoded[0].bytes;
  chunk.encoding = encoding;
  std::string message;
  wire::AppendChunkedSeries(message, labels, {&chunk, 1});
  return message;
}

class PrometheusStoreTest : public ::testing::Test {
 protected:
  PrometheusStoreTest() : heartbeat_({}, prometheus_.api(), registry_, telemetry::Logger::Discard()) {}
  void SetUp() override { ASSERT_TRUE(heartbeat_.WaitUntilUp(Cancel()).ok()); }

  storeapi::SeriesRequest Request(Matchers matchers) {
    storeapi::SeriesRequest request;
    request.min_time_ms = 0;
    request.max_time_ms = 10'000;
    request.matchers = std::move(matchers);
    return request;
  }
  // Lines "{labels} chunks", and "error: ..." at the end of a failed answer.
  std::vector<std::string> Ask(const storeapi::SeriesRequest& request) {
    PrometheusStore store(prometheus_.api(), heartbeat_, prometheus_.executor(), {});
    auto stream = store.Series(request, {});
    std::vector<std::string> lines;
    while (true) {
      auto batch = stream->Next();
      if (!batch.ok()) lines.push_back("error: " + std::string(batch.status().message()));
      if (!batch.ok() || !*batch) return lines;
      for (size_t i = 0; i < (*batch)->size(); ++i) {
        lines.push_back((*batch)->labels(i).ToString() + " " + std::to_string((*batch)->chunks(i).size()));
      }
    }
  }

  ScriptedPrometheus prometheus_;
  telemetry::Registry registry_;
  Heartbeat heartbeat_;
};

TEST_F(PrometheusStoreTest, SeriesCarryExternalLabelsInTheOrderOfTheirFinalLabels) {
  prometheus_.SetFrames({Message(Make({{"__name__", "up"}})), Message(Make({{"__name__", "up"}, {"a", "1"}})),
                         Message(Make({{"__name__", "up"}, {"job", "x"}}))});
  EXPECT_EQ(Ask(Request({Matcher::Equal("__name__", "up")})),
            (std::vector<std::string>{R"({__name__="up", a="1", cluster="eu", replica="a"} 1)",
                                      R"({__name__="up", cluster="eu", job="x", replica="a"} 1)",
                                      R"({__name__="up", cluster="eu", replica="a"} 1)"}));
}

TEST_F(PrometheusStoreTest, ExternalMatchersAreAnsweredHere) {
  EXPECT_TRUE(Ask(Request({Matcher::Equal("cluster", "us"), Matcher::Equal("__name__", "up")})).empty());
  EXPECT_EQ(prometheus_.requests("/api/v1/read"), 0);
  EXPECT_EQ(Ask(Request({Matcher::Equal("cluster", "eu")})),
            (std::vector<std::string>{"error: no matchers specified (excluding external labels)"}));
}

TEST_F(PrometheusStoreTest, ReplicaLabelsAreLeftOut) {
  prometheus_.SetFrames({Message(Make({{"__name__", "up"}}))});
  auto request = Request({Matcher::Equal("__name__", "up")});
  request.without_replica_labels = {"replica"};
  EXPECT_EQ(Ask(request), (std::vector<std::string>{R"({__name__="up", cluster="eu"} 1)"}));
}

TEST_F(PrometheusStoreTest, AnInnerReplicaLabelIsSortedOutInAFile) {
  prometheus_.SetData("/api/v1/labels", R"(["__name__","inner","z"])");
  ASSERT_TRUE(heartbeat_.WaitUntilUp(Cancel()).ok());
  prometheus_.SetFrames({Message(Make({{"inner", "1"}, {"z", "2"}})), Message(Make({{"inner", "2"}, {"z", "1"}})),
                         Message(Make({{"inner", "3"}, {"z", "2"}}))});
  auto request = Request({Matcher::Equal("z", "1")});
  request.without_replica_labels = {"inner", "replica"};
  EXPECT_EQ(Ask(request), (std::vector<std::string>{R"({cluster="eu", z="1"} 1)", R"({cluster="eu", z="2"} 2)"}));
}

TEST_F(PrometheusStoreTest, ASeriesInSeveralFramesIsOne) {
  prometheus_.SetFrames({Message(Make({{"__name__", "up"}})), Message(Make({{"__name__", "up"}}))});
  EXPECT_EQ(Ask(Request({Matcher::Equal("__name__", "up")})),
            (std::vector<std::string>{R"({__name__="up", cluster="eu", replica="a"} 2)"}));
}

TEST_F(PrometheusStoreTest, LimitAndShardAreHonoured) {
  std::vector<std::string> messages;
  for (int i = 100; i < 200; ++i) messages.push_back(Message(Make({{"n", std::to_string(i).c_str()}})));
  prometheus_.SetFrames(messages);
  auto request = Request({Matcher::Equal("job", "x")});
  request.limit = 7;
  EXPECT_EQ(Ask(request).size(), 7u);
  request.limit = 0;
  size_t total = 0;
  for (int64_t shard = 0; shard < 3; ++shard) {
    request.shard = {shard, 3, true, {"n"}};
    size_t n = Ask(request).size();
    EXPECT_LT(n, 60u);
    total += n;
  }
  EXPECT_EQ(total, 100u);
}

TEST_F(PrometheusStoreTest, MalformedFramesAreAnErrorAndNothingIsLostBefore) {
  prometheus_.SetFrames({Message(Make({{"n", "1"}})), "\x0a\xff\xff"});
  std::vector<std::string> lines = Ask(Request({Matcher::Equal("job", "x")}));
  ASSERT_FALSE(lines.empty());
  EXPECT_NE(lines.back().find("error: "), std::string::npos);
  // A frame whose checksum is wrong, and a stream that ends within a frame.
  std::string body;
  wire::AppendChunkedFrame(body, Message(Make({{"n", "1"}})));
  std::string flipped = body;
  flipped.back() = static_cast<char>(flipped.back() ^ 1);
  for (const std::string& bad : {flipped, body.substr(0, body.size() - 3)}) {
    prometheus_.Set("/api/v1/read",
                    {200, "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse", bad});
    EXPECT_EQ(Ask(Request({Matcher::Equal("job", "x")})).back().find("error: "), 0u);
  }
}

TEST_F(PrometheusStoreTest, AnErrorOfPrometheusIsPassedOn) {
  prometheus_.Set("/api/v1/read", {500, "text/plain", "storage is broken"});
  EXPECT_NE(Ask(Request({Matcher::Equal("job", "x")})).back().find("storage is broken"), std::string::npos);
}

TEST_F(PrometheusStoreTest, LabelsOnlyComeFromTheSeriesApi) {
  prometheus_.SetData("/api/v1/series", R"([{"__name__":"up","job":"x"},{"__name__":"up","job":"a"}])");
  auto request = Request({Matcher::Equal("__name__", "up")});
  request.skip_chunks = true;
  EXPECT_EQ(Ask(request), (std::vector<std::string>{R"({__name__="up", cluster="eu", job="a", replica="a"} 0)",
                                                    R"({__name__="up", cluster="eu", job="x", replica="a"} 0)"}));
}

TEST_F(PrometheusStoreTest, OnlyNegativeMatchersWorkByRemoteRead) {
  prometheus_.SetFrames({Message(Make({{"job", "x"}}))});
  auto request = Request({*Matcher::Make(MatchType::kNotEqual, "job", "y")});
  request.skip_chunks = true;
  EXPECT_EQ(Ask(request), (std::vector<std::string>{R"({cluster="eu", job="x", replica="a"} 0)"}));
  EXPECT_EQ(prometheus_.requests("/api/v1/series"), 0);
}

TEST_F(PrometheusStoreTest, NamesAndValuesKnowExternalLabels) {
  PrometheusStore store(prometheus_.api(), heartbeat_, prometheus_.executor(), {});
  storeapi::LabelsRequest request;
  request.end_ms = 10'000;
  EXPECT_EQ(store.LabelNames(request, {})->values, (std::vector<std::string>{"__name__", "cluster", "job", "replica"}));
  request.without_replica_labels = {"replica"};
  request.limit = 2;
  EXPECT_EQ(store.LabelNames(request, {})->values, (std::vector<std::string>{"__name__", "cluster"}));
  request.label = "cluster";
  EXPECT_EQ(store.LabelValues(request, {})->values, (std::vector<std::string>{"eu"}));
  request.label = "replica";
  EXPECT_TRUE(store.LabelValues(request, {})->values.empty());
  prometheus_.SetData("/api/v1/label/job/values", R"(["b","a"])");
  request.label = "job";
  EXPECT_EQ(store.LabelValues(request, {})->values, (std::vector<std::string>{"a", "b"}));
  request.end_ms = 500;  // before Prometheus has data
  EXPECT_TRUE(store.LabelValues(request, {})->values.empty());
}

TEST_F(PrometheusStoreTest, ValuesOfAnExternalLabelNeedASeries) {
  PrometheusStore store(prometheus_.api(), heartbeat_, prometheus_.executor(), {});
  storeapi::LabelsRequest request;
  request.end_ms = 10'000;
  request.label = "cluster";
  request.matchers = {Matcher::Equal("job", "nothing")};
  prometheus_.SetData("/api/v1/series", "[]");
  EXPECT_TRUE(store.LabelValues(request, {})->values.empty());
  prometheus_.SetData("/api/v1/series", R"([{"job":"nothing"}])");
  EXPECT_EQ(store.LabelValues(request, {})->values, (std::vector<std::string>{"eu"}));
}

TEST(Heartbeat, NoExternalLabelsIsAnErrorAtOnce) {
  ScriptedPrometheus prometheus;
  prometheus.SetData("/api/v1/status/config", R"({"yaml":"global:\n  scrape_interval: 1m\n"})");
  telemetry::Registry registry;
  Heartbeat heartbeat({}, prometheus.api(), registry, telemetry::Logger::Discard());
  Status st = heartbeat.WaitUntilUp(Cancel());
  EXPECT_EQ(st.code(), Code::kInvalid);
  EXPECT_NE(st.message().find("no external labels configured on Prometheus server"), std::string_view::npos);
}

TEST(Heartbeat, AnUnreachablePrometheusIsWaitedForUntilTheTimeout) {
  ScriptedPrometheus prometheus;
  prometheus.Stop();
  telemetry::Registry registry;
  HeartbeatOptions options;
  options.ready_timeout = std::chrono::milliseconds(50);
  Heartbeat heartbeat(options, prometheus.api(), registry, telemetry::Logger::Discard());
  Status st = heartbeat.WaitUntilUp(Cancel());
  EXPECT_FALSE(st.ok());
  EXPECT_NE(st.message().find("was not ready in time"), std::string_view::npos);
  EXPECT_FALSE(heartbeat.state()->up);
}

TEST(Heartbeat, AnEmptyPrometheusIsLookedAtAgainSoon) {
  ScriptedPrometheus prometheus;
  prometheus.Set("/metrics", {200, "text/plain", "prometheus_tsdb_lowest_timestamp_seconds 9.223372036854776e+15\n"});
  telemetry::Registry registry;
  Heartbeat heartbeat({}, prometheus.api(), registry, telemetry::Logger::Discard());
  ASSERT_TRUE(heartbeat.WaitUntilUp(Cancel()).ok());
  EXPECT_FALSE(heartbeat.state()->has_data);
  prometheus.Set("/metrics", {200, "text/plain", "prometheus_tsdb_lowest_timestamp_seconds 7\n"});
  CancelSource source;
  std::thread looking([&] { heartbeat.Run(source.cancel(), [](bool) {}); });
  auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!heartbeat.state()->has_data && std::chrono::steady_clock::now() < end) std::this_thread::yield();
  source.Stop();
  looking.join();
  EXPECT_TRUE(heartbeat.state()->has_data);
  EXPECT_EQ(heartbeat.state()->min_time_ms, 7000);
}

TEST(Heartbeat, ALeastTimeThatIsRelativeToNowMovesOn) {
  ScriptedPrometheus prometheus;
  prometheus.Set("/metrics", {200, "text/plain", "prometheus_tsdb_lowest_timestamp_seconds 7\n"});
  telemetry::Registry registry;
  HeartbeatOptions options;
  int64_t least = 5'000;
  options.min_time_ms = [&least] { return least; };
  Heartbeat heartbeat(options, prometheus.api(), registry, telemetry::Logger::Discard());
  ASSERT_TRUE(heartbeat.WaitUntilUp(Cancel()).ok());
  EXPECT_EQ(heartbeat.state()->min_time_ms, 7'000);
  least = 9'000;
  ASSERT_TRUE(heartbeat.WaitUntilUp(Cancel()).ok());
  EXPECT_EQ(heartbeat.state()->min_time_ms, 9'000);
}

TEST(Heartbeat, OldServersHaveNoBuildInfo) {
  ScriptedPrometheus prometheus;
  prometheus.Set("/api/v1/status/buildinfo", {404, "text/plain", "no"});
  telemetry::Registry registry;
  Heartbeat heartbeat({}, prometheus.api(), registry, telemetry::Logger::Discard());
  ASSERT_TRUE(heartbeat.WaitUntilUp(Cancel()).ok());
  EXPECT_EQ(heartbeat.state()->version.text, "0");
  EXPECT_FALSE(heartbeat.state()->version.AtLeast(2, 24));
  EXPECT_EQ(heartbeat.state()->min_time_ms, 1000);
}

}  // namespace
}  // namespace gauntlet::sidecar
