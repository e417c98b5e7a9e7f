// The caches of the store gateway, made from their YAML.
//
// Format:  Thanos, "store": --index-cache.config and --store.caching-bucket.config
// Upstream: thanos pkg/store/cache/factory.go, caching_bucket_factory.go
// Threads: free functions.

#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"
#include "cache/environment.h"
#include "objstore/bucket.h"
#include "store/caches/index_cache.h"

namespace gauntlet::store {

struct IndexCacheLimits {
  size_t memory_bytes_max = 0;  // that a cache in this process may have, whatever the configuration says; 0 = no limit
  bool series = true;           // whether a cache in this process keeps series entries
};

struct MadeIndexCache {
  std::unique_ptr<IndexCache> cache;
  size_t memory_bytes = 0;  // that it may come to hold in this process
};
// `yaml`: type IN-MEMORY, MEMCACHED or REDIS, config, ttl, enabled_items.
Result<MadeIndexCache> MakeIndexCache(std::string_view yaml, const IndexCacheLimits& limits,
                                      const cache::Environment& environment);
// Without a configuration: in memory, `bytes_max`.
MadeIndexCache MakeMemoryIndexCache(size_t bytes_max, const IndexCacheLimits& limits,
                                    const cache::Environment& environment);

struct MadeCachingBucket {
  std::unique_ptr<objstore::Bucket> bucket;
  size_t memory_bytes = 0;
};
// `path`: of the file that the YAML is from, or ""; `inner` is borrowed.
Result<MadeCachingBucket> MakeCachingBucket(std::string_view yaml, const std::string& path, size_t memory_bytes_max,
                                            objstore::Bucket& inner, const cache::Environment& environment);

}  // namespace gauntlet::store
