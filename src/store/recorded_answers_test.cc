// What the real store gateway answered over a bucket, asked of ours over the same blocks: shared/golden/storeapi/store.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>

#include "base/executor.h"
#include "base/hash.h"
#include "io/file_system.h"
#include "json/reader.h"
#include "objstore/filesystem_bucket.h"
#include "rpc/loopback_channel.h"
#include "store/bucket_store.h"
#include "store/index_header_file.h"
#include "store/store_info.h"
#include "storeapi/store_server.h"
#include "storeapi/testing/recorded_answers.h"
#include "wire/series.h"
#include "wire/testing/golden_storeapi.h"

namespace gauntlet::store {
namespace {

namespace fs = std::filesystem;

// Which recorded answers ours are not to equal, and why. What is listed must differ: the list cannot grow old.
const std::map<std::string, std::string> kDifferent = {
    {"01-info", "a database ends with the last of its blocks, not with the one that begins last"},
    {"60-aggr-1h-histogram-min",
     "histograms have no least value: the series has no chunks, and the call does not fail"},
    {"79-values-empty-label", "the label without a name has no value, not an empty one"},
};

using storeapi::Lines;

// Labels, then the chunks: those of equal times come in any order.
void AppendSeries(const wire::SeriesReader& reader, Lines* lines) {
  lines->push_back(reader.labels().ToString());
  Lines chunks;
  std::string group;
  for (const wire::ChunkView& c : reader.chunks()) {
    if (!c.joined && !group.empty()) chunks.push_back(std::exchange(group, ""));
    group += std::to_string(c.min_time_ms) + " " + std::to_string(c.max_time_ms) + " aggregate " +
             std::to_string(static_cast<int>(c.aggregate)) + " encoding " + std::to_string(c.encoding) + " bytes " +
             std::to_string(c.data.size()) + " of " + std::to_string(XxHash64(c.data)) + " hash " +
             std::to_string(c.hash) + "; ";
  }
  if (!group.empty()) chunks.push_back(group);
  std::sort(chunks.begin(), chunks.end());
  lines->insert(lines->end(), chunks.begin(), chunks.end());
}

const storeapi::AnswerForm kForm = {AppendSeries, true};

class RecordedAnswers : public ::testing::Test {
 protected:
  RecordedAnswers() {
    static int number = 0;
    root_ = fs::temp_directory_path() / ("gauntlet-store-" + std::to_string(getpid()) + "-" + std::to_string(++number));
  }
  ~RecordedAnswers() override { fs::remove_all(root_); }

  Status Start() {
    fs::path golden = wire::SharedData() / "golden";
    auto layout = json::Document::Parse(wire::FileBytes(golden / "storeapi/bucket-layout.json"));
    GN_TRY(layout.status());
    std::vector<BucketBlockPtr> blocks;
    bucket_ = std::make_unique<objstore::FilesystemBucket>(io::RealFileSystem(), (root_ / "bucket").string());
    environment_.bucket = bucket_.get();
    environment_.executor = &pool_;
    environment_.habits = LocalHabits();
    for (const auto& entry : fs::directory_iterator(golden / "storeapi/bucket-meta")) {
      std::string ulid = entry.path().filename().string();
      fs::path from = golden / std::string(layout->root().Get(ulid).String().value_or(""));
      fs::create_directories(root_ / "bucket" / ulid);
      fs::copy(from / "index", root_ / "bucket" / ulid / "index");
      fs::copy(from / "chunks", root_ / "bucket" / ulid / "chunks", fs::copy_options::recursive);
      auto meta = json::Document::Parse(wire::FileBytes(entry.path() / "meta.json"));
      GN_TRY(meta.status());
      BlockFacts facts;
      facts.ulid = *Ulid::Parse(ulid);
      facts.mint_ms = meta->root().Get("minTime").Int().value_or(0);
      facts.maxt_ms = meta->root().Get("maxTime").Int().value_or(0);
      auto thanos = meta->root().Get("thanos");
      facts.resolution_ms = thanos.Get("downsample").Get("resolution").Int().value_or(0);
      std::vector<std::pair<std::string, std::string>> labels;
      json::Value external = thanos.Get("labels");
      for (size_t i = 0; i < external.size(); ++i)
        labels.emplace_back(std::string(external.key(i)), std::string(external[i].String().value_or("")));
      facts.external = Labels::From(labels);
      auto header = std::make_shared<IndexHeaderFile>(*bucket_, io::RealFileSystem(), (root_ / "data").string(),
                                                      facts.ulid, 0, metrics_);
      blocks.push_back(std::make_shared<BucketBlock>(std::move(facts), std::move(header), environment_));
    }
    store_ = std::make_unique<BucketStore>(BucketStoreOptions(), pool_, nullptr);
    store_->Serve(std::make_shared<ServedBlocks>(std::move(blocks)));
    storeapi::StoreServerOptions options;
    options.refuse_empty_label = false;
    server_ = std::make_unique<storeapi::StoreServer>(*store_, options);
    rpc::MethodMap methods;
    rpc::RegisterStore(*server_, &methods);
    info_ = std::make_unique<StoreInfoService>(*store_);
    rpc::RegisterInfo(*info_, &methods);
    channel_ = std::make_unique<rpc::LoopbackChannel>(std::move(methods), pool_);
    return Status();
  }

  Lines Ask(const wire::GoldenCall& call) { return storeapi::AskRecorded(*channel_, call, kForm, &message_); }

  std::string message_;

 private:
  fs::path root_;
  ThreadPool pool_{"store", 16};
  telemetry::Registry registry_;
  IndexHeaderMetrics metrics_{registry_};
  std::unique_ptr<objstore::Bucket> bucket_;
  BlockEnvironment environment_;
  std::unique_ptr<BucketStore> store_;
  std::unique_ptr<storeapi::StoreServer> server_;
  std::unique_ptr<StoreInfoService> info_;
  std::unique_ptr<rpc::LoopbackChannel> channel_;
};

TEST_F(RecordedAnswers, OfTheRealStoreAreOurs) {
  if (wire::SharedData().empty()) GTEST_SKIP() << "no shared test data (GAUNTLET_SHARED)";
  Status started = Start();
  ASSERT_TRUE(started.ok()) << started.message();
  size_t equal = 0;
  for (const wire::GoldenCall& call : wire::GoldenCalls()) {
    if (!call.name.starts_with("store/")) continue;
    std::string name = call.name.substr(6);
    Lines recorded = storeapi::RecordedLines(call, kForm), ours = Ask(call);
    auto different = kDifferent.find(name);
    if (different != kDifferent.end()) {
      EXPECT_NE(ours, recorded) << name << " is equal now: " << different->second;
      std::printf("  differs: %s: %s\n", name.c_str(), different->second.c_str());
      continue;
    }
    if (ours == recorded) {
      ++equal;
      continue;
    }
    ADD_FAILURE() << name << ": " << storeapi::FirstOther(ours, recorded) << "\n" << message_;
  }
  std::printf("  %zu recorded answers equal\n", equal);
  EXPECT_GT(equal, 0u);
}

}  // namespace
}  // namespace gauntlet::store
