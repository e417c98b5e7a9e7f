#include "storeapi/matcher_cache.h"

namespace gauntlet::storeapi {

MatcherCache::MatcherCache(size_t items_max, telemetry::Registry& registry)
    : items_max_(items_max),
      requests_(registry.MakeCounter("thanos_matchers_cache_requests_total",
                                     "Total number of cache requests for series matchers")),
      hits_(registry.MakeCounter("thanos_matchers_cache_hits_total", "Total number of cache hits for series matchers")),
      evicted_(
          registry.MakeCounter("thanos_matchers_cache_evicted_total", "Total number of items evicted from the cache")),
      count_(registry.MakeGauge("thanos_matchers_cache_items", "Total number of cached items")) {
  registry.MakeGauge("thanos_matchers_cache_max_items", "Maximum number of items that can be cached")
      .Set(static_cast<double>(items_max));
}

Result<Matcher> MatcherCache::Make(MatchType type, const std::string& name, const std::string& value) {
  if (type != MatchType::kRegexp && type != MatchType::kNotRegexp) return Matcher::Make(type, name, value);
  requests_.Add();
  std::string key = name;
  key.append(MatchTypeText(type)).append(value);
  {
    MutexLock lock(mutex_);
    if (auto place = places_.find(key); place != places_.end()) {
      hits_.Add();
      items_.splice(items_.begin(), items_, place->second);
      return place->second->second;
    }
  }
  // Two that come at once both compile it; one of them stays.
  GN_ASSIGN(Matcher made, Matcher::Make(type, name, value));
  MutexLock lock(mutex_);
  if (places_.contains(key)) return made;
  items_.emplace_front(std::move(key), made);
  places_.emplace(items_.front().first, items_.begin());
  if (items_.size() > items_max_) {
    places_.erase(items_.back().first);
    items_.pop_back();
    evicted_.Add();
  }
  count_.Set(static_cast<double>(items_.size()));
  return made;
}

}  // namespace gauntlet::storeapi
