#include "blocks/meta_fetcher.h"

#include <gtest/gtest.h>

#include "blocks/block_objects.h"
#include "blocks/meta_filters.h"
#include "blocks/testing/block_fixture.h"
#include "io/fake_file_system.h"
#include "objstore/memory_bucket.h"

namespace gauntlet::blocks {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

class MetaFetcherTest : public testing::TestWithParam<DiscoveryStrategy> {
 protected:
  void Start(std::vector<std::shared_ptr<MetaFilter>> filters = {}, const std::string& data_dir = "") {
    CatalogOptions options;
    options.strategy = GetParam();
    options.data_dir = data_dir;
    options.blocks_per_listing = 2;
    catalog_ = std::make_unique<BlockCatalog>(options, bucket_, files_, pool_, registry_, logger_);
    fetcher_ = std::make_unique<MetaFetcher>(*catalog_, std::move(filters), registry_, logger_, clock_);
  }
  std::vector<Ulid> Fetch() {
    auto view = fetcher_->Fetch(Cancel());
    EXPECT_TRUE(view.ok()) << view.status().message();
    view_ = *view;
    std::vector<Ulid> ids;
    for (const auto& [id, meta] : view_.metas) ids.push_back(id);
    return ids;
  }
  bool Has(const std::string& line) { return registry_.Expose(false).find("\n" + line + "\n") != std::string::npos; }
  std::string Synced(const std::string& state, int n) {
    return "thanos_blocks_meta_synced{state=\"" + state + "\"} " + std::to_string(n);
  }
  void Put(const std::string& name, const std::string& bytes) {
    ASSERT_TRUE(objstore::WriteObject(bucket_, name, bytes, Cancel()).ok());
  }

  SimulatedClock clock_{1'767'607'872'123};
  objstore::MemoryBucket bucket_{clock_};
  io::FakeFileSystem files_;
  ThreadPool pool_{"test", 4};
  telemetry::Registry registry_;
  telemetry::Logger& logger_ = telemetry::Logger::Discard();
  std::unique_ptr<BlockCatalog> catalog_;
  std::unique_ptr<MetaFetcher> fetcher_;
  BlockView view_;
};

using Ids = std::vector<Ulid>;

TEST_P(MetaFetcherTest, GoodBlocksAreSeenBadOnesReported) {
  PutBlock(bucket_, TestMeta(TestUlid(1)));
  PutBlock(bucket_, TestMeta(TestUlid(2)));
  Put(TestUlid(3).ToString() + "/index", "no meta yet");
  Put(TestUlid(4).ToString() + "/meta.json", "{broken");
  Put(TestUlid(5).ToString() + "/meta.json", FormatMeta(TestMeta(TestUlid(6))));  // of another block
  Put("debug/metas/x.json", "{}");
  Put("thanos.txt", "no block");
  Start();
  EXPECT_EQ(Fetch(), (Ids{TestUlid(1), TestUlid(2)}));
  EXPECT_TRUE(view_.incomplete.ok());
  ASSERT_EQ(view_.partial.size(), 3u);
  EXPECT_EQ(view_.partial.at(TestUlid(3)).code(), Code::kNotFound);
  EXPECT_EQ(view_.partial.at(TestUlid(4)).code(), Code::kCorrupt);
  EXPECT_EQ(view_.partial.at(TestUlid(5)).code(), Code::kCorrupt);
  EXPECT_TRUE(Has(Synced("loaded", 2)));
  EXPECT_TRUE(Has(Synced("no-meta-json", 1)));
  EXPECT_TRUE(Has(Synced("corrupted-meta-json", 2)));
  EXPECT_TRUE(Has("thanos_blocks_meta_syncs_total 1"));
  EXPECT_TRUE(Has("thanos_blocks_meta_base_syncs_total 1"));
  EXPECT_TRUE(Has("thanos_blocks_meta_sync_failures_total 0"));
  EXPECT_TRUE(Has("thanos_blocks_meta_sync_duration_seconds_count 1"));
  EXPECT_TRUE(Has("thanos_blocks_meta_modified{modified=\"replica-label-removed\"} 0"));
}

TEST_P(MetaFetcherTest, MetasAreFetchedOnce) {
  for (uint8_t i = 0; i < 20; ++i) PutBlock(bucket_, TestMeta(TestUlid(i)));
  Start({}, "/data");
  EXPECT_EQ(Fetch().size(), 20u);
  EXPECT_EQ(Fetch().size(), 20u);
  EXPECT_EQ(bucket_.calls().at("get"), 20);
  // Another start with the same directory, and one with a file that was cut.
  Start({}, "/data");
  EXPECT_EQ(Fetch().size(), 20u);
  EXPECT_EQ(bucket_.calls().at("get"), 20);
  ASSERT_TRUE(files_.Truncate("/data/meta-syncer/metas", files_.Stat("/data/meta-syncer/metas")->bytes - 1).ok());
  Start({}, "/data");
  EXPECT_EQ(Fetch().size(), 20u);
  EXPECT_EQ(bucket_.calls().at("get"), 21);
}

TEST_P(MetaFetcherTest, WhatIsGoneIsForgotten) {
  PutBlock(bucket_, TestMeta(TestUlid(1)));
  PutBlock(bucket_, TestMeta(TestUlid(2)));
  Start({}, "/data");
  EXPECT_EQ(Fetch().size(), 2u);
  ASSERT_TRUE(bucket_.Delete(TestUlid(1).ToString() + "/meta.json", Cancel()).ok());
  EXPECT_EQ(Fetch(), Ids{TestUlid(2)});
  // Nor does the file bring it back: the meta of a block that comes again is fetched.
  const int64_t gets = bucket_.calls().at("get");
  PutBlock(bucket_, TestMeta(TestUlid(1), 0, 5'000));
  Start({}, "/data");
  EXPECT_EQ(Fetch().size(), 2u);
  EXPECT_EQ(view_.metas.at(TestUlid(1))->block.maxt_ms, 5'000);
  EXPECT_EQ(bucket_.calls().at("get"), gets + 1);
}

TEST_P(MetaFetcherTest, ADirectoryForEachMetaOfOlderVersionsIsRemoved) {
  const std::string old = "/data/meta-syncer/" + TestUlid(1).ToString();
  ASSERT_TRUE(files_.MakeDirectories(old).ok());
  ASSERT_TRUE(files_.WriteAtomically(old + "/meta.json", "{}").ok());
  PutBlock(bucket_, TestMeta(TestUlid(1)));
  Start({}, "/data");
  EXPECT_EQ(Fetch().size(), 1u);
  EXPECT_FALSE(files_.Exists(old));
  EXPECT_TRUE(files_.Exists("/data/meta-syncer/metas"));
}

TEST_P(MetaFetcherTest, AFailureMakesTheViewIncompleteAndForgetsNothing) {
  PutBlock(bucket_, TestMeta(TestUlid(1)));
  PutBlock(bucket_, TestMeta(TestUlid(2)));
  Start({}, "/data");
  Fetch();
  PutBlock(bucket_, TestMeta(TestUlid(3)));
  bucket_.SetFault([](std::string_view operation, const std::string& name) {
    return operation == "get" && name.starts_with(TestUlid(3).ToString()) ? Status(Code::kUnavailable, "down")
                                                                          : Status();
  });
  EXPECT_EQ(Fetch(), (Ids{TestUlid(1), TestUlid(2)}));
  EXPECT_EQ(view_.incomplete.code(), Code::kUnavailable);
  EXPECT_TRUE(Has(Synced("failed", 1)));
  EXPECT_TRUE(Has("thanos_blocks_meta_sync_failures_total 1"));
  bucket_.SetFault([](std::string_view operation, const std::string&) {
    return operation == "iter" ? Status(Code::kUnavailable, "down") : Status();
  });
  EXPECT_EQ(fetcher_->Fetch(Cancel()).status().code(), Code::kUnavailable);
  bucket_.SetFault(nullptr);
  EXPECT_EQ(Fetch().size(), 3u);
  EXPECT_TRUE(view_.incomplete.ok());
}

TEST_P(MetaFetcherTest, PartsOfAListingMissNothing) {
  for (const std::string data_dir : {"", "/data"}) {
    for (uint8_t i = 10; i < 30; ++i) PutBlock(bucket_, TestMeta(TestUlid(i)));
    Start({}, data_dir);
    EXPECT_EQ(Fetch().size(), 20u);
    const int64_t listings = bucket_.calls().at("iter");
    std::vector<Ulid> added = {TestUlid(1, 1), TestUlid(5), TestUlid(15, 1'767'571'200'001), TestUlid(35)};
    for (const Ulid& id : added) PutBlock(bucket_, TestMeta(id));
    ASSERT_TRUE(bucket_.Delete(TestUlid(20).ToString() + "/meta.json", Cancel()).ok());
    EXPECT_EQ(Fetch().size(), 23u);
    EXPECT_EQ(view_.partial.size(), 1u);
    if (GetParam() == DiscoveryStrategy::kRecursive) {
      EXPECT_EQ(bucket_.calls().at("iter") - listings, 8);
    }
    for (const Ulid& id : added) ASSERT_TRUE(DeleteBlock(bucket_, id, Cancel()).ok());
  }
}

TEST_P(MetaFetcherTest, AStoppedCancelEndsTheFetch) {
  PutBlock(bucket_, TestMeta(TestUlid(1)));
  Start();
  CancelSource source;
  source.Stop();
  EXPECT_EQ(fetcher_->Fetch(source.cancel()).status().code(), Code::kCancelled);
}

TEST_P(MetaFetcherTest, DeletionMarksHideAfterTheDelay) {
  for (uint8_t i = 1; i <= 4; ++i) PutBlock(bucket_, TestMeta(TestUlid(i)));
  int64_t now_s = clock_.NowMs() / 1000;
  ASSERT_TRUE(SetMarker(bucket_, MarkerKind::kDeletion, {TestUlid(1), "", now_s - 90'000, ""}, Cancel()).ok());
  ASSERT_TRUE(SetMarker(bucket_, MarkerKind::kDeletion, {TestUlid(2), "", now_s - 100, ""}, Cancel()).ok());
  Put(TestUlid(3).ToString() + "/deletion-mark.json", "{broken");
  Put(TestUlid(4).ToString() + "/deletion-mark.json",
      R"({"id":")" + TestUlid(4).ToString() + R"(","version":7,"deletion_time":1})");
  Start();
  auto marks = std::make_shared<IgnoreDeletionMarkFilter>(*catalog_, hours(24), clock_, logger_);
  fetcher_ = std::make_unique<MetaFetcher>(*catalog_, std::vector<std::shared_ptr<MetaFilter>>{marks}, registry_,
                                           logger_, clock_);
  EXPECT_EQ(Fetch(), (Ids{TestUlid(2), TestUlid(3), TestUlid(4)}));
  EXPECT_TRUE(Has(Synced("marked-for-deletion", 1)));
  EXPECT_EQ(marks->marks().size(), 2u);
  int64_t gets = bucket_.calls().at("get");
  clock_.Advance(hours(25));
  EXPECT_EQ(Fetch(), (Ids{TestUlid(3), TestUlid(4)}));
  // A recursive listing tells which blocks have no marker, and those that were read are remembered.
  if (GetParam() == DiscoveryStrategy::kRecursive) {
    EXPECT_EQ(bucket_.calls().at("get") - gets, 2);
  }
}

TEST_P(MetaFetcherTest, GatheredMarksAreCountedAndNothingIsHidden) {
  PutBlock(bucket_, TestMeta(TestUlid(1)));
  PutBlock(bucket_, TestMeta(TestUlid(2)));
  ASSERT_TRUE(SetMarker(bucket_, MarkerKind::kNoCompact, {TestUlid(2), "", 1, kManualReason}, Cancel()).ok());
  Start();
  auto marks = std::make_shared<GatherMarkFilter>(*catalog_, MarkerKind::kNoCompact, logger_);
  fetcher_ = std::make_unique<MetaFetcher>(*catalog_, std::vector<std::shared_ptr<MetaFilter>>{marks}, registry_,
                                           logger_, clock_);
  EXPECT_EQ(Fetch().size(), 2u);
  EXPECT_TRUE(marks->marks().contains(TestUlid(2)));
  EXPECT_TRUE(Has(Synced("marked-for-no-compact", 1)));
  // One of a version that is not known says what its name says.
  Put(TestUlid(1).ToString() + "/no-compact-mark.json", R"({"id":")" + TestUlid(1).ToString() + R"(","version":7})");
  EXPECT_EQ(Fetch().size(), 2u);
  EXPECT_TRUE(marks->marks().contains(TestUlid(1)));
}

TEST_P(MetaFetcherTest, AChangedMetaIsFetchedAnewWhenTheListingTells) {
  PutBlock(bucket_, TestMeta(TestUlid(1)));
  Start({}, "/data");
  Fetch();
  clock_.Advance(minutes(1));
  PutBlock(bucket_, TestMeta(TestUlid(1), 0, 5'000));
  Fetch();
  bool recursive = GetParam() == DiscoveryStrategy::kRecursive;
  EXPECT_EQ(view_.metas.at(TestUlid(1))->block.maxt_ms, recursive ? 5'000 : 7'200'000);
  EXPECT_TRUE(Has(std::string("thanos_blocks_meta_base_cache_busts_total ") + (recursive ? "1" : "0")));
}

TEST_P(MetaFetcherTest, AMetaThatChangedWhileNobodyLookedIsFetchedAnewWhenTheListingTells) {
  PutBlock(bucket_, TestMeta(TestUlid(1)));
  Start({}, "/data");
  Fetch();
  clock_.Advance(minutes(1));
  PutBlock(bucket_, TestMeta(TestUlid(1), 0, 5'000));
  Start({}, "/data");
  Fetch();
  bool recursive = GetParam() == DiscoveryStrategy::kRecursive;
  EXPECT_EQ(view_.metas.at(TestUlid(1))->block.maxt_ms, recursive ? 5'000 : 7'200'000);
}

TEST_P(MetaFetcherTest, AfterAnIncompleteViewWhatWasReadIsNotReadAgain) {
  for (uint8_t i = 1; i <= 3; ++i) PutBlock(bucket_, TestMeta(TestUlid(i)));
  bucket_.SetFault([](std::string_view operation, const std::string& name) {
    return operation == "get" && name.starts_with(TestUlid(3).ToString()) ? Status(Code::kUnavailable, "down")
                                                                          : Status();
  });
  Start();
  EXPECT_EQ(Fetch().size(), 2u);
  const int64_t gets = bucket_.calls().at("get");
  EXPECT_EQ(Fetch().size(), 2u);
  EXPECT_EQ(bucket_.calls().at("get"), gets + 1);
}

INSTANTIATE_TEST_SUITE_P(, MetaFetcherTest,
                         testing::Values(DiscoveryStrategy::kConcurrent, DiscoveryStrategy::kRecursive),
                         [](const auto& info) {
                           return info.param == DiscoveryStrategy::kConcurrent ? "Concurrent" : "Recursive";
                         });

}  // namespace
}  // namespace gauntlet::blocks
