// MemoryIndexCache: an IndexCache in memory; what was not used for longest goes first.
//
// Upstream: thanos pkg/store/cache/inmemory.go
// Threads:  thread-safe: entries are spread over shards, each with a lock.           Owns: the cached bytes.

#pragma once

#include <array>
#include <cstddef>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/mutex.h"
#include "store/index_cache.h"
#include "telemetry/metrics.h"

namespace gauntlet::store {

struct MemoryIndexCacheOptions {
  size_t bytes_max = 250 << 20, item_bytes_max = 125 << 20;
  bool series = true;  // whether series entries are kept
};

class MemoryIndexCache : public IndexCache {
 public:
  MemoryIndexCache(MemoryIndexCacheOptions options, telemetry::Registry& registry);

  std::vector<CachedBytes> Postings(const Ulid& block, std::span<const PostingsCacheKey> keys,
                                    const Cancel& cancel) override;
  void PutPostings(const Ulid& block, PostingsCacheKey key, std::string_view list) override;
  std::vector<CachedBytes> Series(const Ulid& block, std::span<const uint32_t> ids, const Cancel& cancel) override;
  void PutSeries(const Ulid& block, uint32_t id, std::string_view entry) override;
  bool keeps_series() const override { return options_.series; }

  size_t used_bytes() const;

 private:
  static constexpr size_t kShards = 16;
  struct Kind {  // postings, or series
    telemetry::Counter *requests, *hits, *added, *evicted, *overflowed;
  };
  struct Entry {
    std::string key;
    CachedBytes bytes;
    const Kind* kind;
  };
  struct Shard {
    Mutex mutex;
    std::list<Entry> entries GN_GUARDED_BY(mutex);  // last used first
    std::unordered_map<std::string_view, std::list<Entry>::iterator> places GN_GUARDED_BY(mutex);
    size_t bytes GN_GUARDED_BY(mutex) = 0;
  };

  CachedBytes Find(const std::string& key, const Kind& kind);
  void Put(std::string key, std::string_view bytes, const Kind& kind);
  Shard& ShardOf(std::string_view key);
  static size_t Cost(const Entry& entry);

  const MemoryIndexCacheOptions options_;
  std::array<Shard, kShards> shards_;
  Kind postings_, series_;
};

}  // namespace gauntlet::store
