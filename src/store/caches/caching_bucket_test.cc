#include "store/caches/caching_bucket.h"

#include <gtest/gtest.h>

#include <random>

#include "cache/memory_cache.h"
#include "objstore/memory_bucket.h"

namespace gauntlet::store {
namespace {

using Strings = std::vector<std::string>;

constexpr char kChunkFile[] = "01ARZ3NDEKTSV4RRFFQ69G5FAV/chunks/000001";
constexpr char kMetaFile[] = "01ARZ3NDEKTSV4RRFFQ69G5FAV/meta.json";

class CachingBucketTest : public ::testing::Test {
 protected:
  CachingBucketTest() {
    options_.subrange_bytes = 100;
    options_.config_hash = "77";
    for (int i = 0; i < 1050; ++i) content_ += static_cast<char>(i * 7);
    EXPECT_TRUE(objstore::WriteObject(inner_, kChunkFile, content_, Cancel()).ok());
    EXPECT_TRUE(objstore::WriteObject(inner_, kMetaFile, "{}", Cancel()).ok());
    Open();
  }
  void Open() {
    auto cache = std::make_unique<cache::MemoryCache>(cache::MemoryConfig(), "test", registry_, clock_);
    cache_ = cache.get();
    bucket_ = std::make_unique<CachingBucket>(options_, inner_, std::move(cache), pool_, registry_);
  }
  std::string Range(uint64_t offset, uint64_t length) {
    auto bytes = objstore::ReadRange(*bucket_, kChunkFile, offset, length, Cancel());
    EXPECT_TRUE(bytes.ok()) << bytes.status().message();
    return bytes.ok() ? *bytes : "";
  }
  int64_t Calls(std::string_view operation) {
    auto calls = inner_.calls();
    auto found = calls.find(operation);
    return found == calls.end() ? 0 : found->second;
  }
  bool Cached(const std::string& key) { return cache_->Get(Strings{key}, Cancel())[0] != nullptr; }
  double Metric(const std::string& line) {
    std::string text = registry_.Expose(false);
    size_t at = text.find(line + " ");
    return at == std::string::npos ? -1 : std::stod(text.substr(at + line.size()));
  }

  SimulatedClock clock_{1'700'000'000'000};
  ThreadPool pool_{"test", 8};
  telemetry::Registry registry_;
  objstore::MemoryBucket inner_;
  CachingBucketOptions options_;
  std::string content_;
  cache::MemoryCache* cache_ = nullptr;
  std::unique_ptr<CachingBucket> bucket_;
};

TEST_F(CachingBucketTest, GivesAnyRangeAsTheBucketWould) {
  std::mt19937 random(1);
  for (int i = 0; i < 2000; ++i) {
    if (i % 100 == 0) Open();  // an empty cache again
    uint64_t offset = random() % 1200, length = random() % 1200;
    std::string expected = offset < content_.size() ? content_.substr(offset, length) : "";
    ASSERT_EQ(Range(offset, length), expected) << offset << " " << length;
  }
}

TEST_F(CachingBucketTest, AsksTheBucketOnceForAPart) {
  EXPECT_EQ(Range(250, 300), content_.substr(250, 300));
  EXPECT_EQ(Calls("get_range"), 1);
  EXPECT_EQ(Calls("attributes"), 1);
  EXPECT_EQ(Range(200, 400), content_.substr(200, 400));
  EXPECT_EQ(Calls("get_range"), 1);
  EXPECT_EQ(Calls("attributes"), 1);
  EXPECT_TRUE(Cached(std::string("subrange:") + kChunkFile + ":200:300"));
  EXPECT_TRUE(Cached(std::string("attrs:") + kChunkFile));
  EXPECT_EQ(Range(1000, 500), content_.substr(1000));
  EXPECT_TRUE(Cached(std::string("subrange:") + kChunkFile + ":1000:1050"));
  EXPECT_EQ(Metric("thanos_store_bucket_cache_getrange_requested_bytes_total{config=\"chunks\"}"), 300 + 400 + 500);
  EXPECT_EQ(Metric("thanos_store_bucket_cache_getrange_fetched_bytes_total{config=\"chunks\",origin=\"bucket\"}"),
            400 + 50);
  EXPECT_EQ(Metric("thanos_store_bucket_cache_getrange_fetched_bytes_total{config=\"chunks\",origin=\"cache\"}"), 400);
}

TEST_F(CachingBucketTest, BringsScatteredPartsInFewRequests) {
  options_.get_range_requests_max = 2;
  Open();
  for (uint64_t offset : {100, 300, 700}) Range(offset, 1);  // leaves 0, 200, 400..600, 800..1000
  int64_t before = Calls("get_range");
  EXPECT_EQ(Range(0, 1050), content_);
  EXPECT_EQ(Calls("get_range") - before, 2);
  EXPECT_GT(Metric("thanos_store_bucket_cache_getrange_refetched_bytes_total{config=\"chunks\",origin=\"cache\"}"), 0);
}

TEST_F(CachingBucketTest, APartOfAnotherSizeIsNotBelieved) {
  cache_->Put(std::string("subrange:") + kChunkFile + ":0:100", "short", std::chrono::seconds(60));
  cache_->Put(std::string("attrs:") + kChunkFile, "{broken", std::chrono::seconds(60));
  EXPECT_EQ(Range(0, 50), content_.substr(0, 50));
}

TEST_F(CachingBucketTest, KeepsMetasAndWhetherTheyExist) {
  for (int i = 0; i < 3; ++i) EXPECT_EQ(*objstore::ReadObject(*bucket_, kMetaFile, Cancel()), "{}");
  EXPECT_EQ(Calls("get"), 1);
  EXPECT_TRUE(*bucket_->Exists(kMetaFile, Cancel()));
  EXPECT_EQ(Calls("exists"), 0);  // known from the get
  std::string mark = "01ARZ3NDEKTSV4RRFFQ69G5FAV/deletion-mark.json";
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(objstore::ReadObject(*bucket_, mark, Cancel()).status().code(), Code::kNotFound);
  EXPECT_EQ(Calls("get"), 2);
  EXPECT_FALSE(*bucket_->Exists(mark, Cancel()));
  ASSERT_TRUE(objstore::WriteObject(inner_, mark, "{}", Cancel()).ok());
  EXPECT_FALSE(*bucket_->Exists(mark, Cancel()));
  clock_.Advance(std::chrono::minutes(16));
  EXPECT_TRUE(*bucket_->Exists(mark, Cancel()));
  EXPECT_EQ(*objstore::ReadObject(*bucket_, mark, Cancel()), "{}");
}

TEST_F(CachingBucketTest, AMetaThatIsTooLargeIsNotKept) {
  options_.meta_bytes_max = 1;
  Open();
  for (int i = 0; i < 2; ++i) EXPECT_EQ(*objstore::ReadObject(*bucket_, kMetaFile, Cancel()), "{}");
  EXPECT_EQ(Calls("get"), 2);
}

TEST_F(CachingBucketTest, KeepsTheListOfTheRootForItsTime) {
  auto list = [&](const std::string& dir, bool recursive) {
    Strings names;
    objstore::IterOptions options;
    options.recursive = recursive;
    EXPECT_TRUE(bucket_
                    ->Iter(dir, options, Cancel(),
                           [&](const objstore::ObjectEntry& entry) {
                             names.emplace_back(entry.name);
                             return Status();
                           })
                    .ok());
    return names;
  };
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(list("", false), (Strings{"01ARZ3NDEKTSV4RRFFQ69G5FAV/"}));
    EXPECT_EQ(list("", true), (Strings{kChunkFile, kMetaFile}));
  }
  EXPECT_EQ(Calls("iter"), 2);
  EXPECT_TRUE(Cached("iter::77") && Cached("iter-recursive::77"));
  list("01ARZ3NDEKTSV4RRFFQ69G5FAV", false);
  list("01ARZ3NDEKTSV4RRFFQ69G5FAV", false);
  EXPECT_EQ(Calls("iter"), 4);
  clock_.Advance(std::chrono::minutes(6));
  list("", false);
  EXPECT_EQ(Calls("iter"), 5);
}

TEST_F(CachingBucketTest, OtherObjectsPassThrough) {
  std::string index = "01ARZ3NDEKTSV4RRFFQ69G5FAV/index";
  ASSERT_TRUE(objstore::WriteObject(*bucket_, index, "bytes", Cancel()).ok());
  for (int i = 0; i < 2; ++i) EXPECT_EQ(*objstore::ReadRange(*bucket_, index, 1, 3, Cancel()), "yte");
  EXPECT_EQ(Calls("get_range"), 2);
  EXPECT_TRUE(*bucket_->Exists(index, Cancel()));
  EXPECT_TRUE(bucket_->Delete(index, Cancel()).ok());
  EXPECT_FALSE(*bucket_->Exists(index, Cancel()));
}

TEST_F(CachingBucketTest, AnErrorOfTheBucketIsToldAndNotKept) {
  inner_.SetFault([](std::string_view operation, const std::string&) {
    return operation == "get_range" ? Status(Code::kUnavailable, "down") : Status();
  });
  EXPECT_EQ(objstore::ReadRange(*bucket_, kChunkFile, 0, 10, Cancel()).status().code(), Code::kUnavailable);
  inner_.SetFault(nullptr);
  EXPECT_EQ(Range(0, 10), content_.substr(0, 10));
}

}  // namespace
}  // namespace gauntlet::store
