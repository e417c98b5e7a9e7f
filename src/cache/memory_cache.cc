#include "cache/memory_cache.h"

#include <algorithm>
#include <utility>

#include "base/hash.h"

namespace gauntlet::cache {
namespace {

constexpr size_t kEntryOverhead = 160;  // list node, map node, the shared string

telemetry::Counter& Count(telemetry::Registry& registry, const char* what, const char* help, const std::string& name) {
  return registry.MakeCounters(std::string("thanos_cache_inmemory_") + what, help, {"name"}).With({name});
}

telemetry::Gauge& Level(telemetry::Registry& registry, const char* what, const char* help, const std::string& name) {
  return registry.MakeGauges(std::string("thanos_cache_inmemory_") + what, help, {"name"}).With({name});
}

}  // namespace

MemoryCache::MemoryCache(MemoryConfig config, const std::string& name, telemetry::Registry& registry, Clock& clock)
    : config_(config),
      clock_(clock),
      requests_(Count(registry, "requests_total", "Total number of requests to the inmemory cache.", name)),
      hits_(Count(registry, "hits_total", "Total number of requests to the inmemory cache that were a hit.", name)),
      hits_expired_(Count(registry, "hits_on_expired_data_total",
                          "Total number of requests to the inmemory cache that were a hit but needed to be evicted "
                          "due to TTL.",
                          name)),
      added_(
          Count(registry, "items_added_total", "Total number of items that were added to the inmemory cache.", name)),
      evicted_(Count(registry, "items_evicted_total",
                     "Total number of items that were evicted from the inmemory cache.", name)),
      overflowed_(Count(registry, "items_overflowed_total",
                        "Total number of items that could not be added to the inmemory cache due to being too big.",
                        name)),
      items_(Level(registry, "items", "Current number of items in the inmemory cache.", name)),
      items_bytes_(Level(registry, "items_size_bytes", "Current byte size of items in the inmemory cache.", name)),
      total_bytes_(Level(registry, "total_size_bytes",
                         "Current byte size of items (both value and key) in the inmemory cache.", name)) {
  Level(registry, "max_size_bytes", "Maximum number of bytes to be held in the inmemory cache.", name)
      .Set(static_cast<double>(config_.max_size));
  Level(registry, "max_item_size_bytes", "Maximum number of bytes for single entry to be held in the inmemory cache.",
        name)
      .Set(static_cast<double>(config_.max_item_size));
}

MemoryCache::Shard& MemoryCache::ShardOf(std::string_view key) { return shards_[XxHash64(key) % kShards]; }

void MemoryCache::Drop(Shard& shard, Entries::iterator entry) {
  size_t bytes = entry->key.size() + entry->value->size() + kEntryOverhead;
  shard.bytes -= bytes;
  items_.Add(-1);
  items_bytes_.Add(-static_cast<double>(entry->value->size()));
  total_bytes_.Add(-static_cast<double>(bytes));
  evicted_.Add();
  shard.places.erase(entry->key);
  shard.entries.erase(entry);
}

CachedBytes MemoryCache::Find(const std::string& key) {
  requests_.Add();
  Shard& shard = ShardOf(key);
  MutexLock lock(shard.mutex);
  auto place = shard.places.find(key);
  if (place == shard.places.end()) return nullptr;
  if (place->second->expires_ms < clock_.NowMs()) {
    hits_expired_.Add();
    Drop(shard, place->second);
    return nullptr;
  }
  shard.entries.splice(shard.entries.begin(), shard.entries, place->second);
  hits_.Add();
  return place->second->value;
}

std::vector<CachedBytes> MemoryCache::Get(std::span<const std::string> keys, const Cancel&) {
  std::vector<CachedBytes> values;
  for (const std::string& key : keys) values.push_back(Find(key));
  return values;
}

void MemoryCache::Put(std::string key, std::string value, std::chrono::seconds ttl) {
  size_t shard_max = config_.max_size / kShards, size = value.size();
  size_t bytes = key.size() + size + kEntryOverhead;
  if (size > config_.max_item_size || bytes > shard_max) {
    overflowed_.Add();
    return;
  }
  int64_t now = clock_.NowMs();
  value.shrink_to_fit();
  Shard& shard = ShardOf(key);
  MutexLock lock(shard.mutex);
  auto place = shard.places.find(key);
  if (place != shard.places.end()) {
    if (place->second->expires_ms >= now) return;
    Drop(shard, place->second);
  }
  while (shard.bytes + bytes > shard_max) Drop(shard, std::prev(shard.entries.end()));
  shard.entries.push_front({std::move(key), std::make_shared<const std::string>(std::move(value)),
                            now + std::chrono::milliseconds(ttl).count()});
  shard.places.emplace(shard.entries.front().key, shard.entries.begin());
  shard.bytes += bytes;
  items_.Add(1);
  items_bytes_.Add(static_cast<double>(size));
  total_bytes_.Add(static_cast<double>(bytes));
  added_.Add();
}

}  // namespace gauntlet::cache
