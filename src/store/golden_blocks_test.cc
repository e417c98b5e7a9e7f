// Every golden block, served from a bucket: the samples are those that reading the block itself gives, in the encodings
// that StoreAPI defines; also of an index of version 1, of several segments, of XOR2 and start times.

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "base/executor.h"
#include "io/file_system.h"
#include "objstore/filesystem_bucket.h"
#include "store/bucket_store.h"
#include "store/index_header_file.h"
#include "tsdb/block/block.h"
#include "tsdb/chunkenc/chunk.h"
#include "tsdb/chunkenc/testing/golden_chunks.h"
#include "wire/testing/golden_storeapi.h"

namespace gauntlet::store {
namespace {

namespace fs = std::filesystem;
using Answer = std::map<std::string, std::vector<std::string>>;  // samples by labels

void AppendTexts(const Samples& samples, std::vector<std::string>* texts) {
  Samples plain = samples;
  plain.start_times_ms.clear();  // StoreAPI has none
  for (size_t i = 0; i < plain.size(); ++i) texts->push_back(tsdb::SampleText(plain, i));
}

Result<Answer> FromBlock(const fs::path& dir) {
  GN_ASSIGN(auto block, tsdb::Block::Open(io::RealFileSystem(), dir.string()));
  Answer answer;
  GN_ASSIGN(auto all, Matcher::Make(MatchType::kNotRegexp, "no such label", ".+"));
  GN_ASSIGN(auto cursor, block->Select(std::vector<Matcher>{all}, Cancel()));
  tsdb::BlockSeries series(*block, std::move(cursor), INT64_MIN, INT64_MAX);
  while (true) {
    GN_ASSIGN(bool more, series.Next());
    if (!more) return answer;
    std::vector<std::string>& texts = answer[series.labels().ToString()];
    for (const tsdb::ChunkMeta& meta : series.chunks()) {  // chunk by chunk, as they are sent
      GN_ASSIGN(tsdb::ChunkView chunk, block->chunks().Read(meta.ref));
      Samples samples;
      GN_TRY(tsdb::DecodeChunk(chunk, &samples));
      AppendTexts(samples, &texts);
    }
  }
}

Result<Answer> FromStore(BucketStore& store) {
  storeapi::SeriesRequest request;
  request.min_time_ms = INT64_MIN;
  request.max_time_ms = INT64_MAX;
  GN_ASSIGN(auto all, Matcher::Make(MatchType::kNotRegexp, "no such label", ".+"));
  request.matchers = {all};
  request.partial_response = storeapi::PartialResponse::kAbort;
  auto stream = store.Series(request, {});
  Answer answer;
  while (true) {
    GN_ASSIGN(storeapi::SeriesBatchPtr batch, stream->Next());
    if (!batch) return answer;
    for (size_t i = 0; i < batch->size(); ++i) {
      std::vector<std::string>& texts = answer[batch->labels(i).ToString()];
      for (const wire::ChunkView& chunk : batch->chunks(i)) {
        EXPECT_LE(chunk.encoding, 3) << batch->labels(i).ToString();
        Samples samples;
        GN_TRY(tsdb::DecodeChunk({static_cast<tsdb::Encoding>(chunk.encoding), chunk.data}, &samples));
        AppendTexts(samples, &texts);
      }
    }
  }
}

TEST(GoldenBlocks, AreServedAsTheyRead) {
  if (wire::SharedData().empty()) GTEST_SKIP() << "no shared test data (GAUNTLET_SHARED)";
  fs::path root = fs::temp_directory_path() / ("gauntlet-golden-" + std::to_string(getpid()));
  ThreadPool pool("store", 8);
  telemetry::Registry registry;
  IndexHeaderMetrics metrics(registry);
  objstore::FilesystemBucket bucket(io::RealFileSystem(), (root / "bucket").string());
  BlockEnvironment environment{&bucket, &pool, nullptr, LocalHabits()};
  int64_t number = 0;
  for (const auto& entry : fs::directory_iterator(wire::SharedData() / "golden/blocks")) {
    if (!fs::exists(entry.path() / "index")) continue;
    std::string name = entry.path().filename().string();
    if (name == "tombstones") continue;  // a bucket has none: they stay with the Prometheus, as with Thanos
    SCOPED_TRACE(name);
    auto expected = FromBlock(entry.path());
    ASSERT_TRUE(expected.ok()) << expected.status().message();
    BlockFacts facts;
    facts.ulid = Ulid::Make(++number);
    facts.mint_ms = 0;
    facts.maxt_ms = INT64_MAX;
    std::string id = facts.ulid.ToString();
    fs::create_directories(root / "bucket" / id);
    fs::copy(entry.path() / "index", root / "bucket" / id / "index");
    // The numbers of segments may have gaps: it is their order that counts.
    fs::create_directories(root / "bucket" / id / "chunks");
    for (const auto& segment : fs::directory_iterator(entry.path() / "chunks")) {
      std::string with_gaps = fmt::format("{:06}", 3 * std::stoi(segment.path().filename()) - 2);
      fs::copy(segment.path(), root / "bucket" / id / "chunks" / with_gaps);
    }
    std::ofstream(root / "bucket" / id / "chunks" / "000002.tmp") << "left behind";
    auto header = std::make_shared<IndexHeaderFile>(bucket, io::RealFileSystem(), (root / "data").string(), facts.ulid,
                                                    0, metrics);
    BucketStore store(BucketStoreOptions(), pool, nullptr);
    store.Serve(std::make_shared<ServedBlocks>(
        std::vector<BucketBlockPtr>{std::make_shared<BucketBlock>(std::move(facts), header, environment)}));
    auto served = FromStore(store);
    ASSERT_TRUE(served.ok()) << served.status().message();
    EXPECT_EQ(served->size(), expected->size());
    EXPECT_TRUE(*served == *expected);
  }
  fs::remove_all(root);
  EXPECT_GE(number, 5);
}

// Bounds may be relative to now, which moves on while the gateway runs.
TEST(ServedTimes, AreThoseOfTheMomentOfTheCall) {
  ThreadPool pool("store", 2);
  objstore::FilesystemBucket bucket(io::RealFileSystem(), "");
  BlockEnvironment environment{&bucket, &pool, nullptr, LocalHabits()};
  BlockFacts facts;
  facts.mint_ms = 1'000;
  facts.maxt_ms = 2'000;
  TimeSpan span{0, 900};
  BucketStore store({.times = [&span] { return span; }}, pool, nullptr);
  store.Serve(std::make_shared<ServedBlocks>(
      std::vector<BucketBlockPtr>{std::make_shared<BucketBlock>(std::move(facts), nullptr, environment)}));
  storeapi::SeriesRequest request;
  request.min_time_ms = 0;
  request.max_time_ms = 10'000;
  request.matchers.push_back(*Matcher::Make(MatchType::kEqual, "a", "b"));
  EXPECT_EQ(store.Start(request, {}, nullptr).blocks, 0u);
  EXPECT_EQ(store.info().max_time_ms, 900);
  span = {300, 1'500};
  EXPECT_EQ(store.Start(request, {}, nullptr).blocks, 1u);
  EXPECT_EQ(store.info().min_time_ms, 1'000);
  EXPECT_EQ(store.info().max_time_ms, 1'500);
  span = {2'300, 9'000};
  EXPECT_EQ(store.Start(request, {}, nullptr).blocks, 0u);
}

}  // namespace
}  // namespace gauntlet::store
