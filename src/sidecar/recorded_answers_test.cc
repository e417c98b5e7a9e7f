// What the real sidecar answered beside Prometheus 3.14, asked of ours beside this machine's Prometheus, over the same
// blocks: shared/golden/storeapi/sidecar.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <map>
#include <set>

#include "rpc/loopback_channel.h"
#include "sidecar/control_services.h"
#include "sidecar/prometheus_store.h"
#include "sidecar/testing/beside_prometheus.h"
#include "storeapi/store_server.h"
#include "storeapi/testing/recorded_answers.h"
#include "tsdb/chunkenc/testing/golden_chunks.h"
#include "wire/testing/golden_storeapi.h"

namespace gauntlet::sidecar {
namespace {

namespace fs = std::filesystem;

// Which recorded answers ours are not to equal, and why. What is listed must differ: the list cannot grow old.
const std::map<std::string, std::string> kDifferent = {
    {"23-limit", "the limit is honoured"},
    {"28-shard-by-0", "shards are honoured"},
    {"29-shard-by-1", "shards are honoured"},
    {"30-shard-by-2", "shards are honoured"},
    {"31-shard-without", "shards are honoured"},
    {"44-only-negative", "a query of only negative matchers is answered"},
    {"47-names-all", "a name that is both own and external is told once"},
    {"49-names-external-matcher", "a name that is both own and external is told once"},
    {"53-names-limit", "the limit is one of the whole answer, external labels included"},
    {"56-values-matcher", "a query of only negative matchers is answered"},
};

using storeapi::Lines;

// Labels, once, and the samples.
storeapi::AnswerForm SampleForm() {
  return {[last = std::string()](const wire::SeriesReader& reader, Lines* lines) mutable {
    if (std::string labels = reader.labels().ToString(); labels != last) lines->push_back(last = labels);
    for (const wire::ChunkView& chunk : reader.chunks()) {
      Samples samples;
      Status decoded = tsdb::DecodeChunk({static_cast<tsdb::Encoding>(chunk.encoding), chunk.data}, &samples);
      if (!decoded.ok()) lines->push_back("chunk of encoding " + std::to_string(chunk.encoding) + " does not decode");
      for (size_t i = 0; i < samples.size(); ++i) lines->push_back(tsdb::SampleText(samples, i));
    }
  }};
}

class RecordedAnswers : public ::testing::Test {
 protected:
  Status Start() {
    for (const char* block : {"float-2h", "hist-2h"}) GN_TRY(AddGoldenBlock(block, parts_.prometheus));
    GN_TRY(parts_.prometheus.Start(Labels::From({{"cluster", "eu"}, {"replica", "a"}})));
    GN_TRY(parts_.Make());
    GN_TRY(parts_.Look());
    store_ = std::make_unique<PrometheusStore>(*parts_.api, *parts_.heartbeat, parts_.pool, RemoteReadOptions());
    server_ = std::make_unique<storeapi::StoreServer>(*store_, storeapi::StoreServerOptions());
    control_ = std::make_unique<ControlServices>(*parts_.api, *parts_.heartbeat);
    rpc::MethodMap methods;
    rpc::RegisterStore(*server_, &methods);
    control_->Register(&methods);
    channel_ = std::make_unique<rpc::LoopbackChannel>(std::move(methods), parts_.pool);
    return Status();
  }

  Lines Ask(const wire::GoldenCall& call) {
    return storeapi::AskRecorded(*channel_, call, SampleForm(), &last_message_);
  }

  // The series lines of an answer, without their samples.
  static std::vector<std::string> LabelsOf(const Lines& lines) {
    std::vector<std::string> labels;
    std::copy_if(lines.begin(), lines.end(), std::back_inserter(labels),
                 [](const std::string& line) { return line.starts_with("{"); });
    return labels;
  }

  std::string last_message_;

 private:
  BesidePrometheus parts_;
  std::unique_ptr<PrometheusStore> store_;
  std::unique_ptr<storeapi::StoreServer> server_;
  std::unique_ptr<ControlServices> control_;
  std::unique_ptr<rpc::LoopbackChannel> channel_;
};

TEST_F(RecordedAnswers, AreOurs) {
  if (wire::SharedData().empty()) GTEST_SKIP() << "no golden data: set GAUNTLET_SHARED";
  if (std::string why = RealPrometheus::Missing(); !why.empty()) GTEST_SKIP() << why;
  Status started = Start();
  ASSERT_TRUE(started.ok()) << started.message();
  size_t same = 0, asked = 0;
  std::multiset<std::string> sharded;
  std::vector<std::string> whole;
  for (const wire::GoldenCall& call : wire::GoldenCalls()) {
    if (!call.name.starts_with("sidecar/")) continue;
    ++asked;
    std::string name = call.name.substr(call.name.find('/') + 1);
    Lines want = storeapi::RecordedLines(call, SampleForm()), got = Ask(call);
    auto listed = kDifferent.find(name);
    bool equal = got == want;
    if (name.find("-shard-by-") != std::string::npos) {
      // The real sidecar answers the whole three times; ours must add up to it.
      for (const std::string& labels : LabelsOf(got)) sharded.insert(labels);
      whole = LabelsOf(want);
    }
    if (name == "23-limit") {
      Lines first = LabelsOf(want);
      first.resize(3);
      EXPECT_EQ(LabelsOf(got), first);
    }
    same += equal;
    EXPECT_EQ(equal, listed == kDifferent.end()) << name << ": " << last_message_;
    if (equal || listed != kDifferent.end()) continue;
    std::printf("  %s: %s\n", name.c_str(), storeapi::FirstOther(got, want).c_str());
  }
  EXPECT_EQ(asked, 65u);
  EXPECT_EQ(sharded, std::multiset<std::string>(whole.begin(), whole.end()));
  std::printf("%zu of %zu recorded answers are the same; the others:\n", same, asked);
  for (const auto& [name, why] : kDifferent) std::printf("  %s: %s\n", name.c_str(), why.c_str());
}

}  // namespace
}  // namespace gauntlet::sidecar
