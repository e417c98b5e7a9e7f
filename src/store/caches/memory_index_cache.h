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
#include "store/caches/index_cache.h"
#include "store/caches/index_cache_metrics.h"
#include "telemetry/metrics.h"

namespace gauntlet::store {

struct MemoryIndexCacheOptions {
  size_t bytes_max = 250 << 20, item_bytes_max = 125 << 20;
  IndexCacheItems items;
};

class MemoryIndexCache : public IndexCache {
 public:
  MemoryIndexCache(MemoryIndexCacheOptions options, telemetry::Registry& registry);

  std::vector<CachedBytes> Postings(const Ulid& block, std::span<const PostingsCacheKey> keys,
                                    const Cancel& cancel) override;
  void PutPostings(const Ulid& block, PostingsCacheKey key, std::string_view list) override;
  std::optional<std::vector<uint32_t>> Expanded(const Ulid& block, std::span<const Matcher> matchers,
                                                const Cancel& cancel) override;
  void PutExpanded(const Ulid& block, std::span<const Matcher> matchers, std::span<const uint32_t> ids) override;
  std::vector<CachedBytes> Series(const Ulid& block, std::span<const uint64_t> offsets, const Cancel& cancel) override;
  void PutSeries(const Ulid& block, uint64_t offset, std::string_view entry) override;
  bool keeps_series() const override { return options_.items.series; }

  size_t used_bytes() const;

 private:
  static constexpr size_t kShards = 16;
  struct Kind {  // postings, what matchers select, or series
    IndexCacheMetrics::Kind& told;
    telemetry::Counter &added, &evicted, &overflowed;
    telemetry::Gauge &items, &item_bytes, &total_bytes;
  };
  static Kind MakeKind(IndexCacheMetrics::Kind& told, std::string_view type, telemetry::Registry& registry);
  struct Entry {
    std::string key;
    CachedBytes bytes;
    Kind* kind;
  };
  struct Shard {
    Mutex mutex;
    std::list<Entry> entries GN_GUARDED_BY(mutex);  // last used first
    std::unordered_map<std::string_view, std::list<Entry>::iterator> places GN_GUARDED_BY(mutex);
    size_t bytes GN_GUARDED_BY(mutex) = 0;
  };

  CachedBytes Find(const std::string& key, Kind& kind);
  void Put(std::string key, std::string_view bytes, Kind& kind);
  Shard& ShardOf(std::string_view key);
  static size_t Cost(const Entry& entry);
  // Tells of an entry that came (1) or went (-1).
  static void Count(const Entry& entry, double sign);

  const MemoryIndexCacheOptions options_;
  IndexCacheMetrics metrics_;
  Kind postings_, expanded_, series_;
  std::array<Shard, kShards> shards_;
};

}  // namespace gauntlet::store
