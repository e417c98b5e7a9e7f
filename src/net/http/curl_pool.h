// CurlPool: connections kept alive between calls, as multi handles of libcurl that rest by origin.
//
// Threads: thread-safe.

#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/mutex.h"

namespace gauntlet::net {

class CurlPool {
 public:
  CurlPool(size_t idle_max, std::chrono::milliseconds idle_timeout);
  ~CurlPool();
  CurlPool(const CurlPool&) = delete;
  CurlPool& operator=(const CurlPool&) = delete;

  // A CURLM, with its connections to `origin` if there is one that has rested.
  void* Take(const std::string& origin);
  void Give(const std::string& origin, void* multi);
  // The CURLSH of host names and TLS sessions.
  void* shared() const;

 private:
  struct Resting {
    void* multi;
    std::chrono::steady_clock::time_point since;
  };
  class Share;
  // Moves to `out` what has rested for too long (looked for now and then), and the oldest ones beyond idle_max_.
  void Expire(std::vector<void*>* out) GN_REQUIRES(mutex_);

  const size_t idle_max_;
  const std::chrono::milliseconds idle_timeout_;
  std::unique_ptr<Share> share_;
  Mutex mutex_;
  std::unordered_map<std::string, std::vector<Resting>> resting_ GN_GUARDED_BY(mutex_);  // the newest at the back
  size_t resting_count_ GN_GUARDED_BY(mutex_) = 0;
  std::chrono::steady_clock::time_point looked_ GN_GUARDED_BY(mutex_);
};

}  // namespace gauntlet::net
