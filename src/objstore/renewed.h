// Renewed: a secret with an end, fetched when it is needed, and again before it ends.
//
// Threads: thread-safe. One caller fetches, others wait for it.

#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <utility>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "base/status.h"

namespace gauntlet::objstore {

// T has `expires_ms`.
template <typename T>
class Renewed {
 public:
  using Fetch = std::function<Result<T>(const Cancel&)>;
  // Fetched anew from `margin_ms` before its end on. The clock is borrowed.
  Renewed(Fetch fetch, Clock& clock, int64_t margin_ms)
      : fetch_(std::move(fetch)), clock_(clock), margin_ms_(margin_ms) {}

  // When it cannot be fetched anew, the old one does as long as it has not ended.
  Result<T> Get(const Cancel& cancel) {
    if (auto current = Fresh()) return *current;
    MutexLock one(fetching_);
    if (auto current = Fresh()) return *current;
    Result<T> fetched = fetch_(cancel);
    MutexLock lock(mutex_);
    if (fetched.ok()) {
      current_ = *fetched;
    } else if (current_.has_value() && clock_.NowMs() < current_->expires_ms) {
      return *current_;
    }
    return fetched;
  }

  // The next call fetches. Gives what there was.
  std::optional<T> Forget() {
    MutexLock lock(mutex_);
    return std::exchange(current_, std::nullopt);
  }

 private:
  std::optional<T> Fresh() {
    MutexLock lock(mutex_);
    if (current_.has_value() && clock_.NowMs() < current_->expires_ms - margin_ms_) return current_;
    return std::nullopt;
  }

  const Fetch fetch_;
  Clock& clock_;
  const int64_t margin_ms_;
  Mutex fetching_;  // one fetch at a time; held across it
  Mutex mutex_;
  std::optional<T> current_ GN_GUARDED_BY(mutex_);
};

}  // namespace gauntlet::objstore
