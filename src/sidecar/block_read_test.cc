// Blocks read here give the same samples as remote read of a real Prometheus on the same folder.

#include "sidecar/block_read.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <map>
#include <random>

#include "sidecar/prometheus_store.h"
#include "sidecar/testing/beside_prometheus.h"
#include "tsdb/chunkenc/chunk.h"
#include "tsdb/chunkenc/testing/golden_chunks.h"

namespace gauntlet::sidecar {
namespace {

namespace fs = std::filesystem;
constexpr int64_t kBegin = 1767571200000, kEnd = kBegin + 7200000;
// Metrics without native histograms: Debian's Prometheus gives up on some of those.
constexpr char kFloats[] = "[^h].*";

// Labels to samples as text; also checks the order of series and chunks.
using Answer = std::map<std::string, std::vector<std::string>>;

// Without the hint, which for the first histogram of a chunk that was cut is what either side could know, and without
// the start time.
std::string Normalized(std::string line) {
  for (const char* field : {" hint=", " st="}) {
    size_t at = line.find(field);
    if (at != std::string::npos) line.erase(at, std::min(line.find(' ', at + 1), line.size()) - at);
  }
  return line;
}

// Samples in the range only: chunks are whole, and old versions of Prometheus cut others than new ones.
void Collect(storeapi::SeriesStream& stream, int64_t mint_ms, int64_t maxt_ms, Answer* answer) {
  Labels last;
  for (;;) {
    auto batch = stream.Next();
    ASSERT_TRUE(batch.ok()) << batch.status().message();
    if (*batch == nullptr) return;
    for (size_t i = 0; i < (*batch)->size(); ++i) {
      LabelsView labels = (*batch)->labels(i);
      auto& lines = (*answer)[labels.ToString()];
      if (!(labels == last.view())) {
        EXPECT_LT(CompareLabels(last, labels), 0);
      }
      last = Labels(labels);
      for (const wire::ChunkView& chunk : (*batch)->chunks(i)) {
        Samples samples;
        ASSERT_TRUE(tsdb::DecodeChunk({static_cast<tsdb::Encoding>(chunk.encoding), chunk.data}, &samples).ok());
        ASSERT_GT(samples.size(), 0u);
        EXPECT_EQ(samples.times_ms.front(), chunk.min_time_ms);
        EXPECT_EQ(samples.times_ms.back(), chunk.max_time_ms);
        EXPECT_NE(chunk.hash, 0u);
        for (size_t s = 0; s < samples.size(); ++s) {
          if (samples.times_ms[s] < mint_ms || samples.times_ms[s] > maxt_ms) continue;
          lines.push_back(Normalized(tsdb::SampleText(samples, s)));
        }
      }
    }
  }
}

class BlocksBesidePrometheus : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!RealPrometheus::Missing().empty()) GTEST_SKIP() << RealPrometheus::Missing();
    if (tsdb::GoldenFolder().empty()) GTEST_SKIP() << "no shared golden data";
  }

  void Start(const std::vector<std::string>& blocks) {
    auto start = [&]() -> Status {
      for (const std::string& name : blocks) GN_TRY(AddGoldenBlock(name, parts_.prometheus));
      GN_TRY(parts_.prometheus.Start(Labels::From({{"cluster", "eu"}, {"replica", "a"}})));
      GN_TRY(parts_.Make(&SystemClock()));
      return parts_.Look();
    };
    Status started = start();
    ASSERT_TRUE(started.ok()) << started.message();
  }

  Answer Ask(const storeapi::SeriesRequest& request, bool own) {
    PrometheusStore store(*parts_.api, *parts_.heartbeat, parts_.pool, RemoteReadOptions(),
                          own ? parts_.blocks.get() : nullptr);
    Answer answer;
    auto stream = store.Series(request, {});
    Collect(*stream, request.min_time_ms, request.max_time_ms, &answer);
    std::erase_if(answer, [](const auto& series) { return series.second.empty(); });
    return answer;
  }
  static std::vector<std::string> LabelSets(PrometheusStore& store, const storeapi::SeriesRequest& request) {
    std::vector<std::string> sets;
    auto stream = store.Series(request, {});
    for (;;) {
      auto batch = stream->Next();
      EXPECT_TRUE(batch.ok()) << batch.status().message();
      if (!batch.ok() || *batch == nullptr) return sets;
      for (size_t i = 0; i < (*batch)->size(); ++i) sets.push_back((*batch)->labels(i).ToString());
    }
  }
  void ExpectSameAnswers(const std::vector<std::string>& matchers) {
    auto readable = parts_.blocks->Take();
    ASSERT_TRUE(readable.has_value());
    std::mt19937_64 random(3);
    size_t samples = 0;
    for (int i = 0; i < 12; ++i) {
      storeapi::SeriesRequest request;
      request.min_time_ms = i == 0 ? kBegin - 1000 : kBegin + static_cast<int64_t>(random() % 7200000);
      request.max_time_ms = i == 0 ? kEnd + 1000 : request.min_time_ms + static_cast<int64_t>(random() % 3600000);
      request.matchers = {
          *Matcher::Make(MatchType::kRegexp, "__name__", matchers[static_cast<size_t>(i) % matchers.size()])};
      if (i % 3 == 1) request.without_replica_labels = {"replica"};
      if (i % 4 == 2) request.shard = {static_cast<int64_t>(random() % 2), 2, true, {"__name__", "job"}};
      Answer own = Ask(request, true), remote = Ask(request, false);
      ASSERT_EQ(own.size(), remote.size()) << i;
      for (const auto& [labels, lines] : remote) {
        EXPECT_TRUE(own[labels] == lines)
            << i << " " << labels << ": " << own[labels].size() << " samples, Prometheus " << lines.size();
        samples += lines.size();
      }
    }
    EXPECT_GT(samples, 1000u);
  }

  BesidePrometheus parts_;
};

TEST_F(BlocksBesidePrometheus, Floats) {
  Start({"float-2h"});
  ExpectSameAnswers({kFloats, "disk.*|every.*", "edge|constant|special"});
}

TEST_F(BlocksBesidePrometheus, OutOfOrderBlockBesideThatInOrder) {
  Start({"ooo", "ooo-inorder-part"});
  ExpectSameAnswers({kFloats});
}

// The recorded samples of a block in the range, a list per series that has any, sorted.
std::vector<std::vector<std::string>> Recorded(const std::string& name, int64_t mint_ms, int64_t maxt_ms) {
  std::vector<std::vector<std::string>> series;
  for (const auto& line : tsdb::GoldenLines("blocks/" + name + ".samples.txt.gz")) {
    if (line.starts_with("series ")) {
      series.emplace_back();
      continue;
    }
    int64_t t = std::stoll(line.substr(2));
    if (t >= mint_ms && t <= maxt_ms) series.back().push_back(Normalized(tsdb::WithoutDecimals(line)));
  }
  std::erase_if(series, [](const auto& lines) { return lines.empty(); });
  std::sort(series.begin(), series.end());
  return series;
}

// Histograms, also with custom buckets, start times, which StoreAPI has no room for, and deletions: Debian's Prometheus
// does not know the first, and its remote read gives deleted samples, so the recorded ones are what is compared with.
TEST(BlockRead, EveryEncodingAndDeletionsGiveTheRecordedSamples) {
  if (tsdb::GoldenFolder().empty()) GTEST_SKIP() << "no shared golden data";
  std::mt19937_64 random(5);
  for (std::string name : {"hist-2h", "st-xor2-2h", "tombstones"}) {
    auto block = tsdb::Block::Open(io::RealFileSystem(), tsdb::GoldenFolder() + "/blocks/" + name);
    ASSERT_TRUE(block.ok()) << block.status().message();
    auto blocks = std::make_shared<tsdb::BlockList>(tsdb::BlockList{*block});
    for (int i = 0; i < 8; ++i) {
      RemoteReadRequest request;
      request.start_ms = i == 0 ? kBegin : kBegin + static_cast<int64_t>(random() % 7200000);
      request.end_ms = i == 0 ? kEnd : request.start_ms + static_cast<int64_t>(random() % 3600000);
      auto stream = StartBlockRead(blocks, request, false, {}, Cancel());
      ASSERT_TRUE(stream.ok());
      Answer answer;
      Collect(**stream, request.start_ms, request.end_ms, &answer);
      std::vector<std::vector<std::string>> got;
      for (auto& [labels, lines] : answer) {
        if (!lines.empty()) got.push_back(std::move(lines));
      }
      std::sort(got.begin(), got.end());
      EXPECT_TRUE(got == Recorded(name, request.start_ms, request.end_ms)) << name << " " << i;
    }
  }
}

TEST_F(BlocksBesidePrometheus, LimitCountsSeriesOfBoth) {
  Start({"float-2h"});
  storeapi::SeriesRequest request;
  request.min_time_ms = kBegin;
  request.max_time_ms = std::numeric_limits<int64_t>::max();  // beyond the blocks: joined with remote read
  request.matchers = {*Matcher::Make(MatchType::kRegexp, "__name__", ".+")};
  Answer all = Ask(request, true);
  EXPECT_EQ(all, Ask(request, false));
  request.limit = 7;
  EXPECT_EQ(Ask(request, true).size(), 7u);
}

TEST_F(BlocksBesidePrometheus, PrometheusIsNotAskedForTimesThatBlocksCover) {
  Start({"float-2h"});
  storeapi::SeriesRequest request;
  request.min_time_ms = kBegin;
  request.max_time_ms = kEnd - 1;
  request.matchers = {*Matcher::Make(MatchType::kRegexp, "__name__", "edge")};
  PrometheusApi nowhere("http://127.0.0.1:1", *parts_.client);
  PrometheusStore store(nowhere, *parts_.heartbeat, parts_.pool, RemoteReadOptions(), parts_.blocks.get());
  Answer answer;
  auto stream = store.Series(request, {});
  Collect(*stream, request.min_time_ms, request.max_time_ms, &answer);
  EXPECT_EQ(answer.size(), 9u);
}

// Names, values and series without chunks, of blocks and head together and of blocks alone.
TEST_F(BlocksBesidePrometheus, LabelsAreThoseOfPrometheus) {
  Start({"float-2h", "many-2h"});
  PrometheusApi nowhere("http://127.0.0.1:1", *parts_.client);
  PrometheusStore remote(*parts_.api, *parts_.heartbeat, parts_.pool, RemoteReadOptions(), nullptr);
  PrometheusStore own(*parts_.api, *parts_.heartbeat, parts_.pool, RemoteReadOptions(), parts_.blocks.get());
  PrometheusStore alone(nowhere, *parts_.heartbeat, parts_.pool, RemoteReadOptions(), parts_.blocks.get());
  auto matchers = [](const char* text) {
    return *text == 0 ? Matchers() : Matchers{*Matcher::Make(MatchType::kRegexp, "__name__", text)};
  };
  for (const char* text : {"", "edge|constant|special", "n.*", "nothing_of_the_kind"}) {
    for (int64_t end_ms : {kEnd - 1, std::numeric_limits<int64_t>::max()}) {
      SCOPED_TRACE(std::string(text) + (end_ms == kEnd - 1 ? "" : ", to the end of time"));
      PrometheusStore& subject = end_ms == kEnd - 1 ? alone : own;
      storeapi::LabelsRequest request;
      request.start_ms = kBegin;
      request.end_ms = end_ms;
      request.matchers = matchers(text);
      auto expected = remote.LabelNames(request, {}), got = subject.LabelNames(request, {});
      ASSERT_TRUE(expected.ok() && got.ok()) << got.status().message();
      EXPECT_EQ(got->values, expected->values);
      for (const char* label : {"__name__", "job", "kind", "cluster", "no_such_label"}) {
        for (int64_t limit : {0, 2}) {
          request.label = label;
          request.limit = limit;
          expected = remote.LabelValues(request, {}), got = subject.LabelValues(request, {});
          ASSERT_TRUE(expected.ok() && got.ok()) << got.status().message();
          EXPECT_EQ(got->values, expected->values) << label << " " << limit;
        }
      }
      if (*text == 0) continue;
      storeapi::SeriesRequest series;
      series.min_time_ms = kBegin;
      series.max_time_ms = end_ms;
      series.skip_chunks = true;
      series.matchers = matchers(text);
      for (int64_t limit : {0, 3}) {
        series.limit = limit;
        EXPECT_EQ(LabelSets(subject, series), LabelSets(remote, series));
      }
    }
  }
}

TEST_F(BlocksBesidePrometheus, ABlockThatIsRemovedInMidAnswerDoesNoHarm) {
  Start({"float-2h"});
  storeapi::SeriesRequest request;
  request.min_time_ms = kBegin;
  request.max_time_ms = kEnd - 1;
  request.matchers = {*Matcher::Make(MatchType::kRegexp, "__name__", ".+")};
  Answer expected = Ask(request, false), got;
  PrometheusStore store(*parts_.api, *parts_.heartbeat, parts_.pool, RemoteReadOptions(), parts_.blocks.get());
  auto stream = store.Series(request, {});
  auto first = stream->Next();
  ASSERT_TRUE(first.ok() && *first != nullptr);
  for (const auto& entry : fs::directory_iterator(parts_.prometheus.data())) {
    if (Ulid::Parse(entry.path().filename().string())) fs::remove_all(entry);
  }
  size_t series = (*first)->size();
  Collect(*stream, request.min_time_ms, request.max_time_ms, &got);
  EXPECT_EQ(series + got.size(), expected.size());
  for (const auto& [labels, lines] : got) EXPECT_TRUE(lines == expected[labels]) << labels;
}

}  // namespace
}  // namespace gauntlet::sidecar
