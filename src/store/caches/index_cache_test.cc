// Index caches in memory and behind a remote one, and the forms in which Thanos keeps things.

#include <gtest/gtest.h>

#include <map>

#include "cache/memory_cache.h"
#include "io/compress.h"
#include "store/caches/memory_index_cache.h"
#include "store/caches/postings_codec.h"
#include "store/caches/remote_index_cache.h"
#include "tsdb/index/postings.h"

namespace gauntlet::store {
namespace {

using Ids = std::vector<uint32_t>;

const Ulid kBlock = *Ulid::Parse("01ARZ3NDEKTSV4RRFFQ69G5FAV");

Matchers SomeMatchers() {
  return {*Matcher::Make(MatchType::kRegexp, "job", "a|b"), Matcher::Equal("__name__", "up"),
          *Matcher::Make(MatchType::kNotEqual, "env", "\"x\"")};
}

Ids ManyIds(size_t n) {
  Ids ids;
  for (uint32_t i = 0, id = 3; i < n; ++i) ids.push_back(id += 1 + (i * 7919) % 300);
  return ids;
}

TEST(PostingsCodec, GivesBackWhatItWasGiven) {
  for (size_t n : {0, 1, 2, 1000, 200'000}) {
    Ids ids = ManyIds(n);
    std::string bytes = EncodePostings(ids);
    EXPECT_TRUE(bytes.starts_with("dss"));
    auto back = DecodePostings(bytes);
    ASSERT_TRUE(back.ok()) << back.status().message();
    EXPECT_EQ(*back, ids);
    std::string list = IndexListOf(ids);
    auto parsed = tsdb::PostingsList::Parse(list);
    ASSERT_TRUE(parsed.ok()) << parsed.status().message();
    EXPECT_EQ(parsed->size(), n);
  }
  EXPECT_EQ(*DecodePostings("dvs" + io::SnappyCompress(std::string("\x05\x80\x01", 3))), (Ids{5, 133}));
}

TEST(PostingsCodec, RefusesWhatIsNoPostings) {
  std::string good = EncodePostings(ManyIds(1000));
  for (size_t cut = 0; cut < good.size(); ++cut) {
    auto ids = DecodePostings(std::string_view(good).substr(0, cut));
    // A cut between the chunks of the stream cannot be seen.
    if (ids.ok()) EXPECT_LT(ids->size(), 1000u);
  }
  EXPECT_FALSE(DecodePostings("").ok());
  EXPECT_FALSE(DecodePostings("xyz").ok());
  EXPECT_FALSE(DecodePostings("dvs" + io::SnappyCompress(std::string("\x05\x00", 2))).ok());
  EXPECT_FALSE(DecodePostings("dvs" + io::SnappyCompress(std::string("\x05\xff\xff\xff\xff\x0f", 6))).ok());
  EXPECT_FALSE(DecodePostings("dvs" + io::SnappyCompress("\x80")).ok());
}

TEST(MatchersKey, IsTheSameInAnyOrder) {
  Matchers one = SomeMatchers(), two = {one[2], one[0], one[1]};
  EXPECT_EQ(MatchersKey(one), "__name__=\"up\";env!=\"\\\"x\\\"\";job=~\"a|b\"");
  EXPECT_EQ(MatchersKey(one), MatchersKey(two));
}

// What was put, by key.
class RecordingCache : public cache::Cache {
 public:
  explicit RecordingCache(std::map<std::string, std::string>& values) : values_(values) {}
  std::vector<CachedBytes> Get(std::span<const std::string> keys, const Cancel&) override {
    std::vector<CachedBytes> found;
    for (const std::string& key : keys) {
      auto at = values_.find(key);
      found.push_back(at == values_.end() ? nullptr : std::make_shared<const std::string>(at->second));
    }
    return found;
  }
  void Put(std::string key, std::string value, std::chrono::seconds ttl) override {
    EXPECT_EQ(ttl.count(), 3600);
    values_[std::move(key)] = std::move(value);
  }

 private:
  std::map<std::string, std::string>& values_;
};

class IndexCaches : public ::testing::TestWithParam<bool> {
 protected:
  std::unique_ptr<IndexCache> Make(IndexCacheItems items = {}) {
    if (!GetParam()) {
      MemoryIndexCacheOptions options;
      options.items = items;
      return std::make_unique<MemoryIndexCache>(options, registry_);
    }
    return std::make_unique<RemoteIndexCache>(std::make_unique<RecordingCache>(values_), std::chrono::hours(1), items,
                                              registry_);
  }
  std::map<std::string, std::string> values_;
  telemetry::Registry registry_;
};

TEST_P(IndexCaches, GiveBackWhatWasPut) {
  auto cache = Make();
  std::string list = IndexListOf(ManyIds(100)), entry(
                                                    "\x03"
                                                    "abc"
                                                    "\x36\x4b\x3f\xb7",
                                                    8);  // with its CRC-32C
  PostingsCacheKey key{"job", "a"}, other{"job", "b"};
  cache->PutPostings(kBlock, key, list);
  cache->PutExpanded(kBlock, SomeMatchers(), ManyIds(50));
  cache->PutExpanded(kBlock, std::vector<Matcher>{Matcher::Equal("no", "thing")}, {});
  cache->PutSeries(kBlock, 160, entry);
  auto postings = cache->Postings(kBlock, std::vector{key, other}, Cancel());
  ASSERT_EQ(postings.size(), 2u);
  ASSERT_NE(postings[0], nullptr);
  EXPECT_EQ(*postings[0], list);
  EXPECT_EQ(postings[1], nullptr);
  EXPECT_EQ(cache->Expanded(kBlock, SomeMatchers(), Cancel()), ManyIds(50));
  EXPECT_EQ(cache->Expanded(kBlock, std::vector<Matcher>{Matcher::Equal("no", "thing")}, Cancel()), Ids());
  EXPECT_EQ(cache->Expanded(kBlock, std::vector<Matcher>{Matcher::Equal("a", "b")}, Cancel()), std::nullopt);
  auto series = cache->Series(kBlock, std::vector<uint64_t>{16, 160}, Cancel());
  ASSERT_EQ(series.size(), 2u);
  EXPECT_EQ(series[0], nullptr);
  ASSERT_NE(series[1], nullptr);
  EXPECT_EQ(*series[1], entry);
  auto elsewhere = *Ulid::Parse("01ARZ3NDEKTSV4RRFFQ69G5FAW");
  EXPECT_EQ(cache->Postings(elsewhere, std::vector{key}, Cancel())[0], nullptr);
}

TEST_P(IndexCaches, KeepOnlyWhatTheyAreToldTo) {
  auto cache = Make({false, false, false});
  cache->PutPostings(kBlock, {"job", "a"}, IndexListOf(ManyIds(10)));
  cache->PutExpanded(kBlock, SomeMatchers(), ManyIds(50));
  EXPECT_TRUE(cache->Postings(kBlock, std::vector{PostingsCacheKey{"job", "a"}}, Cancel()).empty());
  EXPECT_EQ(cache->Expanded(kBlock, SomeMatchers(), Cancel()), std::nullopt);
  EXPECT_FALSE(cache->keeps_series());
  EXPECT_TRUE(values_.empty());
}

TEST_P(IndexCaches, TellWhatTheyHoldAndWhatPostingsCost) {
  auto cache = Make();
  const std::string list = IndexListOf(ManyIds(100));
  cache->PutPostings(kBlock, {"job", "a"}, list);
  cache->PutExpanded(kBlock, SomeMatchers(), ManyIds(50));
  ASSERT_NE(cache->Postings(kBlock, std::vector{PostingsCacheKey{"job", "a"}}, Cancel())[0], nullptr);
  const std::string text = registry_.Expose(false);
  auto value = [&](const std::string& series) {
    size_t at = text.find("\n" + series + " ");
    return at == std::string::npos ? -1 : std::stod(text.substr(at + series.size() + 2));
  };
  const bool remote = GetParam();
  const std::string postings = "thanos_bucket_store_cached_postings_", tenant = "tenant=\"default-tenant\"";
  EXPECT_EQ(value(postings + "compressions_total{op=\"encode\"," + tenant + "}"), remote ? 2 : 0);
  EXPECT_EQ(value(postings + "compressions_total{op=\"decode\"," + tenant + "}"), remote ? 1 : 0);
  EXPECT_EQ(value(postings + "compression_errors_total{op=\"decode\"," + tenant + "}"), 0);
  EXPECT_EQ(value(postings + "original_size_bytes_total{" + tenant + "}"), remote ? list.size() + 200 : 0);
  EXPECT_EQ(value(postings + "compressed_size_bytes_total{" + tenant + "}") > 0, remote);
  const std::string items = "thanos_store_index_cache_items";
  EXPECT_EQ(value(items + "{item_type=\"Postings\"}"), remote ? -1 : 1);
  EXPECT_EQ(value(items + "{item_type=\"Series\"}"), remote ? -1 : 0);
  EXPECT_EQ(value(items + "_size_bytes{item_type=\"ExpandedPostings\"}"), remote ? -1 : 200);
}

INSTANTIATE_TEST_SUITE_P(All, IndexCaches, ::testing::Bool(),
                         [](const auto& param) { return param.param ? "Remote" : "Memory"; });

TEST(RemoteIndexCache, HasTheKeysAndValuesOfThanos) {
  std::map<std::string, std::string> values;
  telemetry::Registry registry;
  RemoteIndexCache cache(std::make_unique<RecordingCache>(values), std::chrono::hours(1), {}, registry);
  cache.PutPostings(kBlock, {"a", "1"}, IndexListOf(Ids{1, 2, 300}));
  cache.PutSeries(kBlock, 160,
                  std::string("\x03"
                              "abc"
                              "\x36\x4b\x3f\xb7",
                              8));
  cache.PutExpanded(kBlock, SomeMatchers(), Ids{7});
  std::vector<std::string> keys;
  for (const auto& [key, value] : values) keys.push_back(key);
  // Hashes of a:1 and of the matchers' text, as Python's hashlib.blake2b makes them.
  EXPECT_EQ(keys, (std::vector<std::string>{
                      "EP:01ARZ3NDEKTSV4RRFFQ69G5FAV:sf-gBVF_AQCDCF9YkTCk_2SyZCqwyv47cA0cEAwImKs:dss",
                      "P:01ARZ3NDEKTSV4RRFFQ69G5FAV:Cx_VTzfiUy80WHhVvnagYrkQnVoWzBbrpXjQGzdXZC4:dss",
                      "S:01ARZ3NDEKTSV4RRFFQ69G5FAV:160",
                  }));
  EXPECT_EQ(values["S:01ARZ3NDEKTSV4RRFFQ69G5FAV:160"], "abc");
}

TEST(RemoteIndexCache, DamagedValuesAreNoValues) {
  std::map<std::string, std::string> values;
  telemetry::Registry registry;
  RemoteIndexCache cache(std::make_unique<RecordingCache>(values), std::chrono::hours(1), {}, registry);
  cache.PutPostings(kBlock, {"a", "1"}, IndexListOf(Ids{1, 2, 300}));
  cache.PutExpanded(kBlock, SomeMatchers(), Ids{7});
  for (auto& [key, value] : values) value.back() = static_cast<char>(value.back() + 1);
  EXPECT_EQ(cache.Postings(kBlock, std::vector{PostingsCacheKey{"a", "1"}}, Cancel())[0], nullptr);
  EXPECT_EQ(cache.Expanded(kBlock, SomeMatchers(), Cancel()), std::nullopt);
}

}  // namespace
}  // namespace gauntlet::store
