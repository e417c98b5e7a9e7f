#include "cache/circuit_breaker.h"

#include <algorithm>

namespace gauntlet::cache {
namespace {

constexpr std::chrono::seconds kCountedOver{10};

}  // namespace

void CircuitBreaker::Enter(State state, TimePoint now) {
  state_ = state;
  since_ = now;
  requests_ = failures_ = failures_in_row_ = successes_ = 0;
}

bool CircuitBreaker::Allows(TimePoint now) {
  if (!options_.enabled) return true;
  MutexLock lock(mutex_);
  auto open = options_.open_duration.count() > 0 ? options_.open_duration : std::chrono::milliseconds(60'000);
  if (state_ == State::kOpen && now - since_ >= open) Enter(State::kHalfOpen, now);
  if (state_ == State::kClosed && now - since_ >= kCountedOver) Enter(State::kClosed, now);
  if (state_ == State::kOpen) return false;
  if (state_ == State::kHalfOpen && requests_ >= std::max(options_.half_open_max_requests, 1u)) return false;
  ++requests_;
  return true;
}

void CircuitBreaker::Tell(bool failed, TimePoint now) {
  if (!options_.enabled) return;
  MutexLock lock(mutex_);
  if (state_ == State::kOpen) return;
  if (!failed) {
    failures_in_row_ = 0;
    if (state_ == State::kHalfOpen && ++successes_ >= std::max(options_.half_open_max_requests, 1u))
      Enter(State::kClosed, now);
    return;
  }
  ++failures_;
  ++failures_in_row_;
  bool trip = state_ == State::kHalfOpen ||
              (requests_ >= options_.min_requests && (failures_in_row_ >= options_.consecutive_failures ||
                                                      failures_ >= options_.failure_percent * requests_));
  if (trip) Enter(State::kOpen, now);
}

}  // namespace gauntlet::cache
