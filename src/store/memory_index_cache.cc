#include "store/memory_index_cache.h"

#include <cstring>
#include <utility>

#include "base/hash.h"

namespace gauntlet::store {
namespace {

constexpr char kTenant[] = "";
constexpr size_t kEntryOverhead = 160;  // list node, map node, the shared string

std::string PostingsKeyOf(const Ulid& block, PostingsCacheKey key) {
  std::string text(reinterpret_cast<const char*>(block.bytes.data()), block.bytes.size());
  text += 'P';
  text.append(key.name).push_back('\xff');
  return text.append(key.value);
}

std::string SeriesKeyOf(const Ulid& block, uint32_t id) {
  std::string text(reinterpret_cast<const char*>(block.bytes.data()), block.bytes.size());
  text += 'S';
  return text.append(reinterpret_cast<const char*>(&id), sizeof(id));
}

}  // namespace

MemoryIndexCache::MemoryIndexCache(MemoryIndexCacheOptions options, telemetry::Registry& registry) : options_(options) {
  auto requests = registry.MakeCounters("thanos_store_index_cache_requests_total",
                                        "Total number of items requests to the cache.", {"item_type", "tenant"});
  auto hits =
      registry.MakeCounters("thanos_store_index_cache_hits_total",
                            "Total number of items requests to the cache that were a hit.", {"item_type", "tenant"});
  auto added = registry.MakeCounters("thanos_store_index_cache_items_added_total",
                                     "Total number of items that were added to the index cache.", {"item_type"});
  auto evicted = registry.MakeCounters("thanos_store_index_cache_items_evicted_total",
                                       "Total number of items that were evicted from the index cache.", {"item_type"});
  auto overflowed = registry.MakeCounters(
      "thanos_store_index_cache_items_overflowed_total",
      "Total number of items that could not be added to the cache due to being too big.", {"item_type"});
  auto kind = [&](std::string_view name) {
    return Kind{&requests.With({name, kTenant}), &hits.With({name, kTenant}), &added.With({name}),
                &evicted.With({name}), &overflowed.With({name})};
  };
  postings_ = kind("Postings");
  series_ = kind("Series");
  registry
      .MakeGauge("thanos_store_index_cache_max_size_bytes", "Maximum number of bytes to be held in the index cache.")
      .Set(static_cast<double>(options_.bytes_max));
  registry
      .MakeGauge("thanos_store_index_cache_max_item_size_bytes",
                 "Maximum number of bytes for single entry to be held in the index cache.")
      .Set(static_cast<double>(options_.item_bytes_max));
  registry.MakeCollected(
      "thanos_store_index_cache_total_size_bytes", "Current byte size of the index cache.", "gauge",
      [this] { return std::vector<telemetry::Sample>{{"", {}, static_cast<double>(used_bytes())}}; });
}

size_t MemoryIndexCache::Cost(const Entry& entry) { return entry.key.size() + entry.bytes->size() + kEntryOverhead; }

MemoryIndexCache::Shard& MemoryIndexCache::ShardOf(std::string_view key) { return shards_[XxHash64(key) % kShards]; }

size_t MemoryIndexCache::used_bytes() const {
  size_t bytes = 0;
  for (const Shard& shard : shards_) {
    MutexLock lock(const_cast<Mutex&>(shard.mutex));
    bytes += shard.bytes;
  }
  return bytes;
}

CachedBytes MemoryIndexCache::Find(const std::string& key, const Kind& kind) {
  kind.requests->Add();
  Shard& shard = ShardOf(key);
  MutexLock lock(shard.mutex);
  auto place = shard.places.find(key);
  if (place == shard.places.end()) return nullptr;
  shard.entries.splice(shard.entries.begin(), shard.entries, place->second);
  kind.hits->Add();
  return place->second->bytes;
}

void MemoryIndexCache::Put(std::string key, std::string_view bytes, const Kind& kind) {
  if (bytes.size() > options_.item_bytes_max || bytes.size() > options_.bytes_max / kShards) {
    kind.overflowed->Add();
    return;
  }
  Entry entry{std::move(key), std::make_shared<const std::string>(bytes), &kind};
  Shard& shard = ShardOf(entry.key);
  MutexLock lock(shard.mutex);
  if (shard.places.count(entry.key) != 0) return;
  shard.bytes += Cost(entry);
  while (shard.bytes > options_.bytes_max / kShards && !shard.entries.empty()) {
    const Entry& last = shard.entries.back();
    shard.bytes -= Cost(last);
    last.kind->evicted->Add();
    shard.places.erase(last.key);
    shard.entries.pop_back();
  }
  shard.entries.push_front(std::move(entry));
  shard.places.emplace(shard.entries.front().key, shard.entries.begin());
  kind.added->Add();
}

std::vector<CachedBytes> MemoryIndexCache::Postings(const Ulid& block, std::span<const PostingsCacheKey> keys,
                                                    const Cancel&) {
  std::vector<CachedBytes> found;
  for (const PostingsCacheKey& key : keys) found.push_back(Find(PostingsKeyOf(block, key), postings_));
  return found;
}

void MemoryIndexCache::PutPostings(const Ulid& block, PostingsCacheKey key, std::string_view list) {
  Put(PostingsKeyOf(block, key), list, postings_);
}

std::vector<CachedBytes> MemoryIndexCache::Series(const Ulid& block, std::span<const uint32_t> ids, const Cancel&) {
  std::vector<CachedBytes> found;
  for (uint32_t id : ids) found.push_back(Find(SeriesKeyOf(block, id), series_));
  return found;
}

void MemoryIndexCache::PutSeries(const Ulid& block, uint32_t id, std::string_view entry) {
  Put(SeriesKeyOf(block, id), entry, series_);
}

}  // namespace gauntlet::store
