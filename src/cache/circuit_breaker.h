// CircuitBreaker: stops doing what mostly fails, and tries again after a while.
//
// Upstream: github.com/sony/gobreaker, as thanos pkg/cacheutil/cacheutil.go sets it up
// Threads:  thread-safe.

#pragma once

#include <chrono>
#include <cstdint>

#include "base/mutex.h"

namespace gauntlet::cache {

struct CircuitBreakerOptions {
  bool enabled = false;
  uint32_t half_open_max_requests = 10;
  std::chrono::milliseconds open_duration{5000};
  uint32_t min_requests = 50;
  uint32_t consecutive_failures = 5;
  double failure_percent = 0.05;
};

class CircuitBreaker {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  explicit CircuitBreaker(CircuitBreakerOptions options) : options_(options) {}

  // Whether to do it. Who is told true says how it went.
  bool Allows(TimePoint now);
  void Tell(bool failed, TimePoint now);

 private:
  enum class State : uint8_t { kClosed, kOpen, kHalfOpen };
  void Enter(State state, TimePoint now) GN_REQUIRES(mutex_);

  const CircuitBreakerOptions options_;
  Mutex mutex_;
  State state_ GN_GUARDED_BY(mutex_) = State::kClosed;
  TimePoint since_ GN_GUARDED_BY(mutex_);
  uint32_t requests_ GN_GUARDED_BY(mutex_) = 0, failures_ GN_GUARDED_BY(mutex_) = 0;
  uint32_t failures_in_row_ GN_GUARDED_BY(mutex_) = 0, successes_ GN_GUARDED_BY(mutex_) = 0;
};

}  // namespace gauntlet::cache
