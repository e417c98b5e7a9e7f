#include "cache/near_cache.h"

#include <algorithm>
#include <utility>

namespace gauntlet::cache {

std::vector<CachedBytes> NearCache::Get(std::span<const std::string> keys, const Cancel& cancel) {
  std::vector<CachedBytes> values = near_->Get(keys, cancel);
  std::vector<std::string> missing;
  std::vector<size_t> places;
  for (size_t i = 0; i < keys.size(); ++i) {
    if (values[i] != nullptr) continue;
    missing.push_back(keys[i]);
    places.push_back(i);
  }
  if (missing.empty()) return values;
  std::vector<CachedBytes> found = far_->Get(missing, cancel);
  for (size_t i = 0; i < found.size(); ++i) {
    if (found[i] == nullptr) continue;
    near_->Put(std::move(missing[i]), *found[i], keep_);
    values[places[i]] = std::move(found[i]);
  }
  return values;
}

void NearCache::Put(std::string key, std::string value, std::chrono::seconds ttl) {
  near_->Put(key, value, std::min(ttl, keep_));
  far_->Put(std::move(key), std::move(value), ttl);
}

}  // namespace gauntlet::cache
