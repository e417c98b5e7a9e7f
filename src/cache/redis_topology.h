// RedisTopology: which redis server has a key: the only one, the master that sentinels name, or the owner of the key's
// slot in a cluster.
//
// Threads: thread-safe.

#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancel.h"
#include "base/mutex.h"
#include "cache/config.h"
#include "cache/redis_protocol.h"
#include "cache/server.h"

namespace gauntlet::cache {

struct RedisServers {
  std::vector<std::shared_ptr<Server>> servers;  // not empty
  std::vector<uint16_t> slots;                   // the place in `servers` for each; empty = there is no cluster
  bool cluster() const { return !slots.empty(); }
  size_t Of(std::string_view key) const { return slots.empty() ? 0 : slots[RedisSlot(key)]; }
};

class RedisTopology {
 public:
  explicit RedisTopology(const RedisConfig& config) : config_(config) {}

  // Asks for it when it is not known or not true any more; no more often than each second, and by one caller at a time:
  // others get what was known, or wait for it. Null when it cannot be known now.
  std::shared_ptr<const RedisServers> Get(const Cancel& cancel);
  // What is known is not true any more: a server is gone, or has moved.
  void Doubt();
  // Why it is not known.
  Status problem() const;

 private:
  std::shared_ptr<Server> MakeServer(const std::string& address, bool of_data) const;
  std::shared_ptr<Server> Keep(const std::string& address) const;
  Result<std::shared_ptr<const RedisServers>> Ask(const Cancel& cancel) const;
  Result<std::shared_ptr<const RedisServers>> AskSentinels(const Cancel& cancel) const;
  Result<std::shared_ptr<const RedisServers>> AskServers(const Cancel& cancel) const;

  const RedisConfig config_;
  mutable Mutex mutex_;
  CondVar changed_;
  std::shared_ptr<const RedisServers> known_ GN_GUARDED_BY(mutex_);
  bool doubted_ GN_GUARDED_BY(mutex_) = true, asking_ GN_GUARDED_BY(mutex_) = false;
  std::chrono::steady_clock::time_point asked_ GN_GUARDED_BY(mutex_);
  Status problem_ GN_GUARDED_BY(mutex_);
};

}  // namespace gauntlet::cache
