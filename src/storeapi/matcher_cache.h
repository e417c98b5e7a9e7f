// MatcherCache: matchers with regular expressions that were compiled for requests before; those asked for last are
// kept.
//
// Upstream: thanos pkg/store/cache/matchers_cache.go
// Threads:  thread-safe.

#pragma once

#include <cstddef>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/mutex.h"
#include "model/matcher.h"
#include "telemetry/metrics.h"

namespace gauntlet::storeapi {

class MatcherCache {
 public:
  // REQUIRES: items_max > 0
  MatcherCache(size_t items_max, telemetry::Registry& registry);
  Result<Matcher> Make(MatchType type, const std::string& name, const std::string& value);

 private:
  using Items = std::list<std::pair<std::string, Matcher>>;

  const size_t items_max_;
  telemetry::Counter& requests_;
  telemetry::Counter& hits_;
  telemetry::Counter& evicted_;
  telemetry::Gauge& count_;
  Mutex mutex_;
  Items items_ GN_GUARDED_BY(mutex_);  // last used first
  std::unordered_map<std::string_view, Items::iterator> places_ GN_GUARDED_BY(mutex_);
};

}  // namespace gauntlet::storeapi
