// NearCache: what a far cache gave, kept in this process for a while, so that it is not asked again.
//
// The far one does not tell when a value is replaced: one that may change is kept no longer than `keep`.
// Upstream: rueidis' client-side caching, as thanos pkg/cacheutil/redis_client.go uses it (cache_size)
// Threads:  thread-safe.

#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "cache/cache.h"

namespace gauntlet::cache {

class NearCache final : public Cache {
 public:
  NearCache(std::unique_ptr<Cache> near, std::unique_ptr<Cache> far, std::chrono::seconds keep)
      : near_(std::move(near)), far_(std::move(far)), keep_(keep) {}

  std::vector<CachedBytes> Get(std::span<const std::string> keys, const Cancel& cancel) override;
  void Put(std::string key, std::string value, std::chrono::seconds ttl) override;

 private:
  const std::unique_ptr<Cache> near_, far_;
  const std::chrono::seconds keep_;
};

}  // namespace gauntlet::cache
