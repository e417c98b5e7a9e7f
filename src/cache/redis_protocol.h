// The protocol of redis (RESP 2): commands out, replies in.
//
// Format:  redis.io, "Redis serialization protocol"
// Threads: free functions; a reply is a value.

#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "cache/reply_reader.h"

namespace gauntlet::cache {

struct RedisReply {
  enum class Kind : uint8_t { kNil, kText, kError, kInteger, kArray };
  Kind kind = Kind::kNil;
  std::string text;  // of a text or an error
  int64_t integer = 0;
  std::vector<RedisReply> items;
  // kUnavailable for an error that the server tells.
  Status status() const;
};

void AppendRedisCommand(std::span<const std::string_view> words, std::string* out);
void AppendRedisCommand(std::initializer_list<std::string_view> words, std::string* out);

// kCorrupt for what is no reply, or one that is too large or too deep to be believed.
Result<RedisReply> ReadRedisReply(ReplyReader& reader, size_t value_bytes_max);

inline constexpr size_t kRedisSlots = 16384;
// Which slot of a cluster has the key.
size_t RedisSlot(std::string_view key);

}  // namespace gauntlet::cache
