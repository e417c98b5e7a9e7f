// Any bytes as replies of redis.

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "cache/redis_protocol.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  gauntlet::cache::ReplyReader reader([&bytes](char* to, size_t n) -> gauntlet::Result<size_t> {
    if (bytes.empty()) return gauntlet::Status(gauntlet::Code::kUnavailable, "connection closed");
    size_t part = std::min<size_t>({n, bytes.size(), 7});
    std::memcpy(to, bytes.data(), part);
    bytes.remove_prefix(part);
    return part;
  });
  while (gauntlet::cache::ReadRedisReply(reader, 1 << 20).ok()) {
  }
  return 0;
}
