#include "store/caches/config.h"

#include <gtest/gtest.h>

#include "objstore/memory_bucket.h"

namespace gauntlet::store {
namespace {

class CacheConfig : public ::testing::Test {
 protected:
  Result<MadeIndexCache> Index(const std::string& yaml, IndexCacheLimits limits = {}) {
    return MakeIndexCache(yaml, limits, environment_);
  }
  Result<MadeCachingBucket> Caching(const std::string& yaml) {
    return MakeCachingBucket(yaml, "", 0, bucket_, environment_);
  }

  ThreadPool pool_{"test", 8};
  telemetry::Registry registry_;
  objstore::MemoryBucket bucket_;
  cache::Environment environment_{pool_, registry_, telemetry::Logger::Discard()};
};

TEST_F(CacheConfig, MakesIndexCachesOfEachType) {
  auto memory = Index("{type: in-memory, config: {max_size: 10MB, max_item_size: 1MB}}", {1 << 20, true});
  ASSERT_TRUE(memory.ok()) << memory.status().message();
  EXPECT_EQ(memory->memory_bytes, 1u << 20);
  EXPECT_TRUE(memory->cache->keeps_series());
  auto some = Index("{type: IN-MEMORY, enabled_items: [Postings, ExpandedPostings]}");
  ASSERT_TRUE(some.ok());
  EXPECT_FALSE(some->cache->keeps_series());
  auto memcached = Index("{type: MEMCACHED, ttl: 1h, config: {addresses: [127.0.0.1:1], timeout: 1ms}}");
  ASSERT_TRUE(memcached.ok()) << memcached.status().message();
  EXPECT_EQ(memcached->memory_bytes, environment_.put_bytes_max);  // what waits to be put
  EXPECT_EQ(memcached->cache->Postings(Ulid(), std::vector{PostingsCacheKey{"a", "b"}}, Cancel())[0], nullptr);
  EXPECT_TRUE(Index("{type: REDIS, config: {addr: 127.0.0.1:1}}").ok());
  auto near = Index("{type: REDIS, config: {addr: 127.0.0.1:1, cache_size: 10MB}}", {1 << 20, true});
  ASSERT_TRUE(near.ok()) << near.status().message();
  EXPECT_EQ(near->memory_bytes, environment_.put_bytes_max + (1 << 20));
}

TEST_F(CacheConfig, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(Index("{type: GALAXYCACHE}").status().code(), Code::kUnsupported);
  EXPECT_NE(Index("{type: groupcache}").status().message().find("IN-MEMORY, MEMCACHED and REDIS"), std::string::npos);
  EXPECT_EQ(Index("{type: DISK}").status().message(), "index cache with type DISK is not supported");
  EXPECT_EQ(Index("{type: IN-MEMORY, enabled_items: [Chunks]}").status().message(), "unsupported item type Chunks");
  EXPECT_NE(Index("{type: MEMCACHED}").status().message().find("no memcached addresses provided"), std::string::npos);
  EXPECT_FALSE(Index("{type: IN-MEMORY, size: 1}").ok());
  EXPECT_EQ(Caching("{type: GROUPCACHE, config: {self_url: http://a}}").status().code(), Code::kUnsupported);
  EXPECT_EQ(Caching("{type: DISK}").status().message(), "unsupported cache type: DISK");
  EXPECT_FALSE(Caching("{type: IN-MEMORY, chunk_subrange_size: 0}").ok());
  EXPECT_FALSE(Caching("{type: IN-MEMORY, unknown: 1}").ok());
}

TEST_F(CacheConfig, MakesCachingBuckets) {
  auto made = Caching(R"(
type: IN-MEMORY
config: {max_size: 1MB, max_item_size: 1KB}
chunk_subrange_size: 10
max_chunks_get_range_requests: 1
metafile_max_size: 1KB
chunk_object_attrs_ttl: 1h
chunk_subrange_ttl: 1h
blocks_iter_ttl: 1m
metafile_exists_ttl: 1m
metafile_doesnt_exist_ttl: 1m
metafile_content_ttl: 1m
)");
  ASSERT_TRUE(made.ok()) << made.status().message();
  EXPECT_EQ(made->memory_bytes, 1u << 20);
  ASSERT_TRUE(objstore::WriteObject(bucket_, "a/chunks/000001", "0123456789abcdef", Cancel()).ok());
  for (int i = 0; i < 2; ++i)
    EXPECT_EQ(*objstore::ReadRange(*made->bucket, "a/chunks/000001", 5, 8, Cancel()), "56789abc");
  EXPECT_EQ(bucket_.calls()["get_range"], 1);
  EXPECT_TRUE(Caching("{type: MEMCACHED, config: {addresses: [127.0.0.1:1]}}").ok());
  EXPECT_TRUE(Caching("{type: REDIS, config: {addr: 127.0.0.1:1}}").ok());
}

}  // namespace
}  // namespace gauntlet::store
