// The text protocol of memcached, as far as a cache needs it.
//
// Format:  memcached's doc/protocol.txt; "config get cluster" is that of AWS ElastiCache
// Threads: free functions.

#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "cache/reply_reader.h"

namespace gauntlet::cache {

// Up to 250 bytes without spaces and control characters.
bool IsMemcachedKey(std::string_view key);

void AppendMemcachedGet(const std::vector<std::string_view>& keys, std::string* out);
// `expires`: in seconds since 1970; 0 = never.
void AppendMemcachedSet(std::string_view key, std::string_view value, int64_t expires, std::string* out);

// Calls `on_value` for each value of the answer to one get. kUnavailable for an error that the server tells, after
// which the connection is as good as before; kCorrupt for what is no answer.
Status ReadMemcachedValues(ReplyReader& reader, size_t value_bytes_max,
                           const std::function<void(std::string_view key, std::string value)>& on_value);
// The answer to one set.
Status ReadMemcachedStored(ReplyReader& reader);

inline constexpr char kMemcachedClusterQuestion[] = "config get cluster\r\n";
// The nodes of a cluster, "host:port".
Result<std::vector<std::string>> ReadMemcachedCluster(ReplyReader& reader);

}  // namespace gauntlet::cache
