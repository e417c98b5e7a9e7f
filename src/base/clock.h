// Clock: the only source of time; SystemClock for programs, SimulatedClock for tests.

#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace gauntlet {

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  // Wall time, milliseconds since the Unix epoch.
  virtual int64_t NowMs() const = 0;
  // Monotonic time for durations and deadlines.
  virtual std::chrono::steady_clock::time_point Now() const = 0;
};

// The real clock; one for the process.
Clock& SystemClock();

// Stands still until told to move. Thread-safe.
class SimulatedClock : public Clock {
 public:
  explicit SimulatedClock(int64_t now_ms) : now_ms_(now_ms) {}
  int64_t NowMs() const override { return now_ms_.load(); }
  std::chrono::steady_clock::time_point Now() const override {
    return std::chrono::steady_clock::time_point(std::chrono::milliseconds(now_ms_.load()));
  }
  void Advance(std::chrono::milliseconds by) { now_ms_ += by.count(); }

 private:
  std::atomic<int64_t> now_ms_;
};

}  // namespace gauntlet
