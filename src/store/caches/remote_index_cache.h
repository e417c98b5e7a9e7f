// RemoteIndexCache: an index cache in memcached or redis, with the keys and values of Thanos', so that both may share
// one.
//
//   P:<block>:<hash of name:value>:dss      a postings list, encoded (postings_codec.h)
//   EP:<block>:<hash of the matchers>:dss   what matchers select, encoded
//   S:<block>:<offset>                      a series entry without its length and checksum
//
// Upstream: thanos pkg/store/cache/memcached.go, cache.go
// Threads:  thread-safe.

#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "store/caches/index_cache.h"
#include "store/caches/index_cache_metrics.h"

namespace gauntlet::store {

class RemoteIndexCache final : public IndexCache {
 public:
  RemoteIndexCache(std::unique_ptr<cache::Cache> cache, std::chrono::seconds ttl, IndexCacheItems items,
                   telemetry::Registry& registry)
      : cache_(std::move(cache)), ttl_(ttl), items_(items), metrics_(registry) {}

  std::vector<CachedBytes> Postings(const Ulid& block, std::span<const PostingsCacheKey> keys,
                                    const Cancel& cancel) override;
  void PutPostings(const Ulid& block, PostingsCacheKey key, std::string_view list) override;
  std::optional<std::vector<uint32_t>> Expanded(const Ulid& block, std::span<const Matcher> matchers,
                                                const Cancel& cancel) override;
  void PutExpanded(const Ulid& block, std::span<const Matcher> matchers, std::span<const uint32_t> ids) override;
  std::vector<CachedBytes> Series(const Ulid& block, std::span<const uint64_t> offsets, const Cancel& cancel) override;
  void PutSeries(const Ulid& block, uint64_t offset, std::string_view entry) override;
  bool keeps_series() const override { return items_.series; }

 private:
  std::vector<CachedBytes> Ask(IndexCacheMetrics::Kind& kind, const std::vector<std::string>& keys,
                               const Cancel& cancel);
  void Put(IndexCacheMetrics::Kind& kind, std::string key, std::string value);
  // With what they cost. `original_bytes`: of the postings where they come from.
  std::string Encode(std::span<const uint32_t> ids, size_t original_bytes);
  Result<std::vector<uint32_t>> Decode(std::string_view bytes);

  const std::unique_ptr<cache::Cache> cache_;
  const std::chrono::seconds ttl_;
  const IndexCacheItems items_;
  IndexCacheMetrics metrics_;
};

}  // namespace gauntlet::store
