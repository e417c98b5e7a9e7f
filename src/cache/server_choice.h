// Which of several servers has a key: the same for everybody who knows the same servers, Thanos included.
//
// Upstream: thanos pkg/cacheutil/memcached_server_selector.go: servers in natural order, jump hash of xxHash64
// Threads:  free functions.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gauntlet::cache {

// "cache-2" before "cache-10": runs of digits compare as numbers.
void SortNaturally(std::vector<std::string>* names);

// From 0 to servers - 1. REQUIRES: servers > 0. When a server is added, only the keys that it gets move.
size_t JumpHash(uint64_t hash, size_t servers);
size_t ServerOf(std::string_view key, size_t servers);

}  // namespace gauntlet::cache
