// Cache: values by key, kept for a while, maybe by a server that others use too.
//
// A cache never fails anybody: what it cannot give in time it does not have, what it cannot take it drops.
//
// Upstream: thanos pkg/cache (Cache)
// Threads:  thread-safe.

#pragma once

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancel.h"

namespace gauntlet::cache {

using CachedBytes = std::shared_ptr<const std::string>;

class Cache {
 public:
  virtual ~Cache() = default;
  // One entry per key, null where there is none.
  virtual std::vector<CachedBytes> Get(std::span<const std::string> keys, const Cancel& cancel) = 0;
  // Returns at once; the value may come to be there a little later, or not.
  virtual void Put(std::string key, std::string value, std::chrono::seconds ttl) = 0;
};

}  // namespace gauntlet::cache
