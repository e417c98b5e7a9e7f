#include "store/caches/config.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/hash.h"
#include "cache/config.h"
#include "cache/memcached_cache.h"
#include "cache/memory_cache.h"
#include "cache/near_cache.h"
#include "cache/redis_cache.h"
#include "config/decoder.h"
#include "config/durations.h"
#include "config/yaml.h"
#include "store/caches/caching_bucket.h"
#include "store/caches/memory_index_cache.h"
#include "store/caches/remote_index_cache.h"

namespace gauntlet::store {
namespace {

using config::Decoder;
using std::chrono::seconds;

// What a listing or a question whether something exists gave may be another thing soon.
constexpr seconds kKeepListings{60};

std::string Upper(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
}

void Seconds(Decoder& d, std::string_view name, seconds* out) {
  std::chrono::nanoseconds value;
  if (config::GoDurationField(d, name, &value)) *out = std::chrono::duration_cast<seconds>(value);
}

Status NoGroups(const std::string& type) {
  return Status(Code::kUnsupported,
                "caches of type " + type + " are not supported: IN-MEMORY, MEMCACHED and REDIS are");
}

bool IsGroups(const std::string& type) { return type == "GROUPCACHE" || type == "GALAXYCACHE"; }

size_t Bounded(uint64_t bytes, size_t bytes_max) {
  return bytes_max == 0 ? bytes : std::min<uint64_t>(bytes, bytes_max);
}

// What counts the questions to a remote cache, as thanos_cache_memcached_* and thanos_cache_redis_*.
class CountedCache final : public cache::Cache {
 public:
  CountedCache(std::unique_ptr<cache::Cache> inner, const std::string& kind, const std::string& name,
               telemetry::Registry& registry)
      : inner_(std::move(inner)),
        requests_(registry
                      .MakeCounters("thanos_cache_" + kind + "_requests_total",
                                    "Total number of items requests to " + kind + ".", {"name"})
                      .With({name})),
        hits_(registry
                  .MakeCounters("thanos_cache_" + kind + "_hits_total",
                                "Total number of items requests to the cache that were a hit.", {"name"})
                  .With({name})) {}

  std::vector<CachedBytes> Get(std::span<const std::string> keys, const Cancel& cancel) override {
    requests_.Add(static_cast<double>(keys.size()));
    auto found = inner_->Get(keys, cancel);
    hits_.Add(static_cast<double>(
        std::count_if(found.begin(), found.end(), [](const CachedBytes& one) { return one != nullptr; })));
    return found;
  }
  void Put(std::string key, std::string value, seconds ttl) override {
    inner_->Put(std::move(key), std::move(value), ttl);
  }

 private:
  const std::unique_ptr<cache::Cache> inner_;
  telemetry::Counter& requests_;
  telemetry::Counter& hits_;
};

struct MadeRemote {
  std::unique_ptr<cache::Cache> cache;
  size_t memory_bytes = 0;  // in this process
};

// Memcached or redis; null for another type. What redis' `cache_size` keeps here is kept for `keep`.
Result<MadeRemote> MakeRemote(const std::string& type, const config::Node& node, const std::string& name, seconds keep,
                              size_t memory_bytes_max, const cache::Environment& environment) {
  MadeRemote made;
  if (type == "MEMCACHED") {
    GN_ASSIGN(cache::MemcachedConfig config, cache::ParseMemcachedConfig(node));
    made.cache = std::make_unique<cache::MemcachedCache>(std::move(config), name, environment);
  } else if (type == "REDIS") {
    GN_ASSIGN(cache::RedisConfig config, cache::ParseRedisConfig(node));
    cache::MemoryConfig near{Bounded(config.cache_size, memory_bytes_max), 0};
    near.max_item_size = near.max_size / 2;
    made.cache = std::make_unique<cache::RedisCache>(std::move(config), name, environment);
    if (near.max_size > 0) {
      made.memory_bytes = near.max_size;
      made.cache = std::make_unique<cache::NearCache>(
          std::make_unique<cache::MemoryCache>(near, name + "-near", environment.registry, SystemClock()),
          std::move(made.cache), keep);
    }
  }
  if (made.cache != nullptr) made.memory_bytes += environment.put_bytes_max;
  return made;
}

Status ParseItems(const std::vector<std::string>& enabled, IndexCacheItems* items) {
  if (enabled.empty()) return Status();
  *items = {false, false, false};
  for (const std::string& item : enabled) {
    if (item == "Postings") {
      items->postings = true;
    } else if (item == "ExpandedPostings") {
      items->expanded = true;
    } else if (item == "Series") {
      items->series = true;
    } else {
      return Status(Code::kInvalid, "unsupported item type " + item);
    }
  }
  return Status();
}

MadeIndexCache InMemory(const cache::MemoryConfig& config, IndexCacheItems items, const IndexCacheLimits& limits,
                        const cache::Environment& environment) {
  MemoryIndexCacheOptions options;
  options.bytes_max = Bounded(config.max_size, limits.memory_bytes_max);
  options.item_bytes_max = std::min<size_t>(config.max_item_size, options.bytes_max);
  options.items = items;
  options.items.series = items.series && limits.series;
  return {std::make_unique<MemoryIndexCache>(options, environment.registry), options.bytes_max};
}

}  // namespace

Result<MadeIndexCache> MakeIndexCache(std::string_view yaml, const IndexCacheLimits& limits,
                                      const cache::Environment& environment) {
  std::string type;
  std::vector<std::string> enabled;
  seconds ttl{0};
  config::NodePtr none = config::Node::Plain("");
  GN_ASSIGN(config::NodePtr root, config::ParseYaml(yaml));
  const config::Node* node = none.get();
  GN_TRY(config::DecodeNode(*root, "storecache.IndexCacheConfig", [&](Decoder& d) {
    d.Field("type", &type);
    if (const config::Node* given = d.Take("config"); given != nullptr) node = given;
    d.Field("enabled_items", &enabled);
    Seconds(d, "ttl", &ttl);
  }));
  if (ttl.count() == 0) ttl = std::chrono::hours(24);
  IndexCacheItems items;
  GN_TRY(ParseItems(enabled, &items));
  std::string upper = Upper(type);
  if (IsGroups(upper)) return NoGroups(type);
  if (upper == "IN-MEMORY") {
    auto config = cache::ParseMemoryConfig(*node);
    if (!config.ok()) return config.status().Wrap("create " + type + " index cache");
    return InMemory(*config, items, limits, environment);
  }
  auto remote = MakeRemote(upper, *node, "index-cache", ttl, limits.memory_bytes_max, environment);
  if (!remote.ok()) return remote.status().Wrap("create " + type + " index cache");
  if (remote->cache == nullptr) return Status(Code::kInvalid, "index cache with type " + type + " is not supported");
  MadeIndexCache made;
  made.memory_bytes = remote->memory_bytes;
  made.cache = std::make_unique<RemoteIndexCache>(std::move(remote->cache), ttl, items, environment.registry);
  return made;
}

MadeIndexCache MakeMemoryIndexCache(size_t bytes_max, const IndexCacheLimits& limits,
                                    const cache::Environment& environment) {
  return InMemory({bytes_max, bytes_max / 2}, {}, limits, environment);
}

Result<MadeCachingBucket> MakeCachingBucket(std::string_view yaml, const std::string& path, size_t memory_bytes_max,
                                            objstore::Bucket& inner, const cache::Environment& environment) {
  std::string type;
  CachingBucketOptions options;
  uint64_t meta_bytes = options.meta_bytes_max;
  config::NodePtr none = config::Node::Plain("");
  GN_ASSIGN(config::NodePtr root, config::ParseYaml(yaml));
  const config::Node* node = none.get();
  GN_TRY(config::DecodeNode(*root, "storecache.CachingWithBackendConfig", [&](Decoder& d) {
    d.Field("type", &type);
    if (const config::Node* given = d.Take("config"); given != nullptr) node = given;
    d.Field("chunk_subrange_size", &options.subrange_bytes);
    d.Field("max_chunks_get_range_requests", &options.get_range_requests_max);
    d.Bytes("metafile_max_size", &meta_bytes);
    Seconds(d, "chunk_object_attrs_ttl", &options.attributes_ttl);
    Seconds(d, "chunk_subrange_ttl", &options.subrange_ttl);
    Seconds(d, "blocks_iter_ttl", &options.iter_ttl);
    Seconds(d, "metafile_exists_ttl", &options.exists_ttl);
    Seconds(d, "metafile_doesnt_exist_ttl", &options.absent_ttl);
    Seconds(d, "metafile_content_ttl", &options.content_ttl);
    if (options.subrange_bytes == 0) d.Fail("chunk_subrange_size", "chunk_subrange_size must be positive");
  }));
  options.meta_bytes_max = meta_bytes;
  options.config_hash = std::to_string(XxHash64(std::string(yaml) + path));
  std::string upper = Upper(type);
  if (IsGroups(upper)) return NoGroups(type);
  MadeCachingBucket made;
  std::unique_ptr<cache::Cache> behind;
  if (upper == "IN-MEMORY") {
    GN_ASSIGN(cache::MemoryConfig config, cache::ParseMemoryConfig(*node));
    config.max_size = Bounded(config.max_size, memory_bytes_max);
    made.memory_bytes = config.max_size;
    behind = std::make_unique<cache::MemoryCache>(config, "caching-bucket", environment.registry, SystemClock());
  } else {
    auto remote = MakeRemote(upper, *node, "caching-bucket", kKeepListings, memory_bytes_max, environment);
    if (!remote.ok()) return remote.status().Wrap("create " + type + " cache");
    if (remote->cache == nullptr) return Status(Code::kInvalid, "unsupported cache type: " + type);
    made.memory_bytes = remote->memory_bytes;
    std::string kind = upper == "REDIS" ? "redis" : "memcached";
    behind = std::make_unique<CountedCache>(std::move(remote->cache), kind, "caching-bucket", environment.registry);
  }
  made.bucket = std::make_unique<CachingBucket>(std::move(options), inner, std::move(behind), environment.executor,
                                                environment.registry);
  return made;
}

}  // namespace gauntlet::store
