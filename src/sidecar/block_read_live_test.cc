// A real Prometheus at work: late samples, blocks cut from its head and merged while it is asked, deletions. What the
// sidecar answers, reading blocks itself, is what was written.

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <random>
#include <thread>

#include "io/compress.h"
#include "sidecar/prometheus_store.h"
#include "sidecar/testing/beside_prometheus.h"
#include "tsdb/chunkenc/chunk.h"
#include "wire/time_series.h"

namespace gauntlet::sidecar {
namespace {

constexpr int64_t kBegin = 1767571200000, kStepMs = 30000, kLateMs = 20 * 60000;
constexpr int kSeries = 60, kSteps = 1200;  // ten hours

class LivePrometheus : public ::testing::Test {
 protected:
  using Truth = std::map<std::string, std::map<int64_t, double>>;  // by the label `s`

  void SetUp() override {
    if (!RealPrometheus::Missing().empty()) GTEST_SKIP() << RealPrometheus::Missing();
    Status st = parts_.prometheus.Start(Labels::From({{"cluster", "eu"}}),
                                        {"--web.enable-remote-write-receiver", "--web.enable-admin-api"},
                                        "storage:\n  tsdb:\n    out_of_order_time_window: 30m\n");
    ASSERT_TRUE(st.ok()) << st.message();
    ASSERT_TRUE(parts_.Make(&clock_).ok());
  }

  int Post(const std::string& path, std::string body, bool remote_write) {
    net::HttpCall call;
    call.method = "POST";
    call.url = parts_.prometheus.url() + path;
    call.body = std::move(body);
    if (remote_write) {
      call.headers.Set("Content-Type", "application/x-protobuf");
      call.headers.Set("Content-Encoding", "snappy");
      call.headers.Set("X-Prometheus-Remote-Write-Version", "0.1.0");
    }
    auto answer = parts_.client->Do(call, Cancel());
    return answer.ok() ? answer->status : 0;
  }
  // One sample of each series, and late ones of some.
  void Write(int step) {
    std::string request;
    for (int s = 0; s < kSeries; ++s) {
      std::string name = std::to_string(s);
      Labels labels = Labels::From({{"__name__", "m"}, {"s", name}});
      auto put = [&](int64_t t, double v) {
        Samples sample;
        sample.times_ms = {t};
        sample.values = {v};
        wire::AppendTimeSeries(request, 1, labels, sample);
        truth_[name][t] = v;
      };
      int64_t t = kBegin + step * kStepMs + s;
      put(t, static_cast<double>(random_() % 1000));
      if (random_() % 20 == 0 && step > 60) put(t - kLateMs + 7, static_cast<double>(random_() % 1000));
    }
    ASSERT_EQ(Post("/api/v1/write", io::SnappyCompress(request), true) / 100, 2) << step;
  }
  void Look() { ASSERT_TRUE(parts_.Look().ok()); }
  // The head's compactions that are done with their late samples, too: each begins a new segment of the log of late
  // samples, and removes the older ones when these are in blocks.
  int64_t FinishedCompactions() {
    int64_t first = 0;
    auto list = io::RealFileSystem().List((parts_.prometheus.data() / "wbl").string());
    if (list.ok() && !list->empty()) first = std::atoll(list->front().name.c_str());
    return first;
  }
  // Waits until the late samples of all blocks are in blocks, too, as they are long before ten minutes have passed:
  // here hours pass in a second.
  void WaitForLateSamples() {
    auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    for (bool steady = false; !steady;) {
      ASSERT_LT(std::chrono::steady_clock::now(), end) << "late samples are not in blocks";
      auto facts = parts_.api->Database(Cancel());
      steady = facts.ok() && facts->head_min_ms && facts->head_max_ms &&
               *facts->head_max_ms - *facts->head_min_ms < 3 * 3600000 &&
               FinishedCompactions() >= (*facts->head_min_ms - kBegin) / 7200000;
      if (!steady) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }
  // Blocks may be merged at this moment; then the next look finds them.
  void LookUntilReadable(int64_t until_ms) {
    auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (ReadableUntil() <= until_ms) {
      ASSERT_LT(std::chrono::steady_clock::now(), end) << "blocks are not read";
      Look();
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }

  Truth Ask() {
    PrometheusStore store(*parts_.api, *parts_.heartbeat, parts_.pool, RemoteReadOptions(), parts_.blocks.get());
    storeapi::SeriesRequest request;
    request.min_time_ms = 0;
    request.max_time_ms = kBegin + kSteps * kStepMs * 2;
    request.matchers = {Matcher::Equal("__name__", "m")};
    Truth answer;
    auto stream = store.Series(request, {});
    for (;;) {
      auto batch = stream->Next();
      EXPECT_TRUE(batch.ok()) << batch.status().message();
      if (!batch.ok() || *batch == nullptr) return answer;
      for (size_t i = 0; i < (*batch)->size(); ++i) {
        auto& series = answer[std::string((*batch)->labels(i).Get("s"))];
        for (const wire::ChunkView& chunk : (*batch)->chunks(i)) {
          Samples samples;
          EXPECT_TRUE(tsdb::DecodeChunk({static_cast<tsdb::Encoding>(chunk.encoding), chunk.data}, &samples).ok());
          for (size_t n = 0; n < samples.size(); ++n) series[samples.times_ms[n]] = samples.values[n];
        }
      }
    }
  }
  void ExpectTruth(const std::string& when) {
    Truth got = Ask();
    ASSERT_EQ(got.size(), truth_.size()) << when;
    for (const auto& [name, samples] : truth_) {
      EXPECT_TRUE(got[name] == samples) << when << ", series " << name << ": " << got[name].size() << " samples, "
                                        << samples.size() << " written";
    }
  }
  int64_t ReadableUntil() {
    auto readable = parts_.blocks->Take();
    return readable ? readable->end_ms : 0;
  }

  std::mt19937 random_{17};
  Truth truth_;
  SimulatedClock clock_{1000};
  BesidePrometheus parts_;
};

TEST_F(LivePrometheus, AnswersAreWhatWasWritten) {
  bool own = false;
  for (int step = 0; step < kSteps; ++step) {
    ASSERT_NO_FATAL_FAILURE(Write(step));
    if (step % 100 != 99) continue;
    ASSERT_NO_FATAL_FAILURE(WaitForLateSamples());
    Look();
    clock_.Advance(std::chrono::minutes(11));  // new blocks have settled when the next look finds them
    ExpectTruth("step " + std::to_string(step));
    own = own || ReadableUntil() > kBegin;
  }
  EXPECT_TRUE(own);
  ASSERT_NO_FATAL_FAILURE(LookUntilReadable(kBegin + 4 * 3600000));

  // A deletion counts at once, without another look.
  int64_t first_ms = kBegin + 1800000, last_ms = kBegin + 3 * 3600000;
  std::string query =
      "?match[]=m%7Bs=~%221.%22%7D&start=" + std::to_string(first_ms / 1000) + "&end=" + std::to_string(last_ms / 1000);
  ASSERT_EQ(Post("/api/v1/admin/tsdb/delete_series" + query, "", false), 204);
  for (auto& [name, samples] : truth_) {
    if (name.size() == 2 && name[0] == '1') {
      std::erase_if(samples, [&](const auto& sample) { return sample.first >= first_ms && sample.first <= last_ms; });
    }
  }
  ExpectTruth("after a deletion");
}

}  // namespace
}  // namespace gauntlet::sidecar
