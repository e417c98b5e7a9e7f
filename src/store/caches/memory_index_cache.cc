#include "store/caches/memory_index_cache.h"

#include <cstring>
#include <utility>

#include "base/hash.h"

namespace gauntlet::store {
namespace {

constexpr size_t kEntryOverhead = 160;  // list node, map node, the shared string

std::string KeyOf(const Ulid& block, char kind, std::string_view what) {
  std::string text(reinterpret_cast<const char*>(block.bytes.data()), block.bytes.size());
  text += kind;
  return text.append(what);
}

std::string PostingsKeyOf(const Ulid& block, PostingsCacheKey key) {
  return KeyOf(block, 'P', key.name).append(1, '\xff').append(key.value);
}

std::string SeriesKeyOf(const Ulid& block, uint64_t offset) {
  return KeyOf(block, 'S', {reinterpret_cast<const char*>(&offset), sizeof(offset)});
}

}  // namespace

MemoryIndexCache::Kind MemoryIndexCache::MakeKind(IndexCacheMetrics::Kind& told, std::string_view type,
                                                  telemetry::Registry& registry) {
  auto counter = [&](const char* what, const char* help) -> telemetry::Counter& {
    return registry.MakeCounters(std::string("thanos_store_index_cache_items_") + what, help, {"item_type"})
        .With({type});
  };
  auto gauge = [&](const char* what, const char* help) -> telemetry::Gauge& {
    return registry.MakeGauges(std::string("thanos_store_index_cache_") + what, help, {"item_type"}).With({type});
  };
  return {
      told,
      counter("added_total", "Total number of items that were added to the index cache."),
      counter("evicted_total", "Total number of items that were evicted from the index cache."),
      counter("overflowed_total", "Total number of items that could not be added to the cache due to being too big."),
      gauge("items", "Current number of items in the index cache."),
      gauge("items_size_bytes", "Current byte size of items in the index cache."),
      gauge("total_size_bytes", "Current byte size of items (both value and key) in the index cache.")};
}

MemoryIndexCache::MemoryIndexCache(MemoryIndexCacheOptions options, telemetry::Registry& registry)
    : options_(options),
      metrics_(registry),
      postings_(MakeKind(metrics_.postings, "Postings", registry)),
      expanded_(MakeKind(metrics_.expanded, "ExpandedPostings", registry)),
      series_(MakeKind(metrics_.series, "Series", registry)) {
  registry
      .MakeGauge("thanos_store_index_cache_max_size_bytes", "Maximum number of bytes to be held in the index cache.")
      .Set(static_cast<double>(options_.bytes_max));
  registry
      .MakeGauge("thanos_store_index_cache_max_item_size_bytes",
                 "Maximum number of bytes for single entry to be held in the index cache.")
      .Set(static_cast<double>(options_.item_bytes_max));
}

size_t MemoryIndexCache::Cost(const Entry& entry) { return entry.key.size() + entry.bytes->size() + kEntryOverhead; }

void MemoryIndexCache::Count(const Entry& entry, double sign) {
  entry.kind->items.Add(sign);
  entry.kind->item_bytes.Add(sign * static_cast<double>(entry.bytes->size()));
  entry.kind->total_bytes.Add(sign * static_cast<double>(Cost(entry)));
}

MemoryIndexCache::Shard& MemoryIndexCache::ShardOf(std::string_view key) { return shards_[XxHash64(key) % kShards]; }

size_t MemoryIndexCache::used_bytes() const {
  size_t bytes = 0;
  for (const Shard& shard : shards_) {
    MutexLock lock(const_cast<Mutex&>(shard.mutex));
    bytes += shard.bytes;
  }
  return bytes;
}

CachedBytes MemoryIndexCache::Find(const std::string& key, Kind& kind) {
  kind.told.requests.Add();
  Shard& shard = ShardOf(key);
  MutexLock lock(shard.mutex);
  auto place = shard.places.find(key);
  if (place == shard.places.end()) return nullptr;
  shard.entries.splice(shard.entries.begin(), shard.entries, place->second);
  kind.told.hits.Add();
  return place->second->bytes;
}

void MemoryIndexCache::Put(std::string key, std::string_view bytes, Kind& kind) {
  if (bytes.size() > options_.item_bytes_max || bytes.size() > options_.bytes_max / kShards) {
    kind.overflowed.Add();
    return;
  }
  kind.told.data_bytes.Observe(static_cast<double>(bytes.size()));
  Entry entry{std::move(key), std::make_shared<const std::string>(bytes), &kind};
  Shard& shard = ShardOf(entry.key);
  MutexLock lock(shard.mutex);
  if (shard.places.count(entry.key) != 0) return;
  shard.bytes += Cost(entry);
  while (shard.bytes > options_.bytes_max / kShards && !shard.entries.empty()) {
    const Entry& last = shard.entries.back();
    shard.bytes -= Cost(last);
    last.kind->evicted.Add();
    Count(last, -1);
    shard.places.erase(last.key);
    shard.entries.pop_back();
  }
  shard.entries.push_front(std::move(entry));
  shard.places.emplace(shard.entries.front().key, shard.entries.begin());
  kind.added.Add();
  Count(shard.entries.front(), 1);
}

std::vector<CachedBytes> MemoryIndexCache::Postings(const Ulid& block, std::span<const PostingsCacheKey> keys,
                                                    const Cancel&) {
  if (!options_.items.postings) return {};
  std::vector<CachedBytes> found;
  for (const PostingsCacheKey& key : keys) found.push_back(Find(PostingsKeyOf(block, key), postings_));
  return found;
}

void MemoryIndexCache::PutPostings(const Ulid& block, PostingsCacheKey key, std::string_view list) {
  if (options_.items.postings) Put(PostingsKeyOf(block, key), list, postings_);
}

std::optional<std::vector<uint32_t>> MemoryIndexCache::Expanded(const Ulid& block, std::span<const Matcher> matchers,
                                                                const Cancel&) {
  if (!options_.items.expanded) return std::nullopt;
  CachedBytes found = Find(KeyOf(block, 'E', MatchersKey(matchers)), expanded_);
  if (found == nullptr) return std::nullopt;
  std::vector<uint32_t> ids(found->size() / sizeof(uint32_t));
  if (!ids.empty()) std::memcpy(ids.data(), found->data(), found->size());
  return ids;
}

void MemoryIndexCache::PutExpanded(const Ulid& block, std::span<const Matcher> matchers,
                                   std::span<const uint32_t> ids) {
  if (!options_.items.expanded) return;
  Put(KeyOf(block, 'E', MatchersKey(matchers)), {reinterpret_cast<const char*>(ids.data()), ids.size_bytes()},
      expanded_);
}

std::vector<CachedBytes> MemoryIndexCache::Series(const Ulid& block, std::span<const uint64_t> offsets, const Cancel&) {
  std::vector<CachedBytes> found;
  for (uint64_t offset : offsets) found.push_back(Find(SeriesKeyOf(block, offset), series_));
  return found;
}

void MemoryIndexCache::PutSeries(const Ulid& block, uint64_t offset, std::string_view entry) {
  Put(SeriesKeyOf(block, offset), entry, series_);
}

}  // namespace gauntlet::store
