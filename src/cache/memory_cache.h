// MemoryCache: a cache in this process: the values asked for last, up to a number of bytes.
//
// Upstream: thanos pkg/cache/inmemory.go
// Threads:  thread-safe.

#pragma once

#include <array>
#include <chrono>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "cache/cache.h"
#include "cache/config.h"
#include "telemetry/metrics.h"

namespace gauntlet::cache {

class MemoryCache final : public Cache {
 public:
  // `name` is a label of the metrics: "caching-bucket". `registry` and `clock` outlive this.
  MemoryCache(MemoryConfig config, const std::string& name, telemetry::Registry& registry, Clock& clock);

  std::vector<CachedBytes> Get(std::span<const std::string> keys, const Cancel& cancel) override;
  // A key that is there keeps its value, unless that has expired.
  void Put(std::string key, std::string value, std::chrono::seconds ttl) override;
  size_t used_bytes() const { return static_cast<size_t>(total_bytes_.value()); }

 private:
  static constexpr size_t kShards = 16;
  struct Entry {
    std::string key;
    CachedBytes value;
    int64_t expires_ms;
  };
  using Entries = std::list<Entry>;  // the one used last first
  struct Shard {
    mutable Mutex mutex;
    Entries entries GN_GUARDED_BY(mutex);
    std::unordered_map<std::string_view, Entries::iterator> places GN_GUARDED_BY(mutex);
    size_t bytes GN_GUARDED_BY(mutex) = 0;
  };

  Shard& ShardOf(std::string_view key);
  CachedBytes Find(const std::string& key);
  void Drop(Shard& shard, Entries::iterator entry) GN_REQUIRES(shard.mutex);

  const MemoryConfig config_;
  Clock& clock_;
  telemetry::Counter& requests_;
  telemetry::Counter& hits_;
  telemetry::Counter& hits_expired_;
  telemetry::Counter& added_;
  telemetry::Counter& evicted_;
  telemetry::Counter& overflowed_;
  telemetry::Gauge& items_;
  telemetry::Gauge& items_bytes_;
  telemetry::Gauge& total_bytes_;
  std::array<Shard, kShards> shards_;
};

}  // namespace gauntlet::cache
