// Any bytes as the answer to a get, to a set, to a question for a cluster's nodes.

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "cache/memcached_protocol.h"

using gauntlet::cache::ReplyReader;

namespace {

// In pieces, so that replies come broken up as from a socket.
ReplyReader ReaderOf(std::string_view bytes) {
  return ReplyReader([bytes](char* to, size_t n) mutable -> gauntlet::Result<size_t> {
    if (bytes.empty()) return gauntlet::Status(gauntlet::Code::kUnavailable, "connection closed");
    size_t part = std::min<size_t>({n, bytes.size(), 7});
    std::memcpy(to, bytes.data(), part);
    bytes.remove_prefix(part);
    return part;
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  ReplyReader values = ReaderOf(bytes), stored = ReaderOf(bytes), nodes = ReaderOf(bytes);
  (void)gauntlet::cache::ReadMemcachedValues(values, 1 << 20, [](std::string_view, const std::string&) {});
  (void)gauntlet::cache::ReadMemcachedStored(stored);
  (void)gauntlet::cache::ReadMemcachedCluster(nodes);
  return 0;
}
