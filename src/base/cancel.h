// Cancel: the right to go on. Every long call takes one and asks it; it ends by its deadline, by its source being
// cancelled, or by its parent ending.
//
// Threads: Cancel and CancelSource are thread-safe; copies share one state.

#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/status.h"

namespace gauntlet {

class Cancel {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  class State;

  // Takes its callback away on destruction; afterwards the callback is not running and will not run.
  class Registration {
   public:
    Registration() = default;
    Registration(std::shared_ptr<State> state, uint64_t id) : state_(std::move(state)), id_(id) {}
    Registration(Registration&& other) noexcept : state_(std::move(other.state_)), id_(other.id_) {}
    Registration& operator=(Registration&& other) noexcept;
    ~Registration() { Reset(); }
    void Reset();

   private:
    std::shared_ptr<State> state_;
    uint64_t id_ = 0;
  };

  // Never ends.
  Cancel() = default;

  // True once the deadline passed or the source was cancelled. Costs an atomic load and, with a deadline, a clock read.
  bool stopped() const;
  // Ok, or kCancelled / kDeadline with the reason given to CancelSource::Stop.
  Status status() const;
  // The earliest deadline of this and its parents.
  std::optional<TimePoint> deadline() const;
  // min(deadline, now + timeout): for waits that must also end by themselves.
  TimePoint DeadlineOr(std::chrono::milliseconds timeout) const;

  // Runs `callback` once when stopped by a source (not by the passing of the deadline: waits take deadline()); at once,
  // on this thread, if that has happened already. The callback must not block and must not drop its own registration.
  [[nodiscard]] Registration OnStop(std::function<void()> callback) const;

 private:
  friend class CancelSource;
  explicit Cancel(std::shared_ptr<State> state) : state_(std::move(state)) {}
  std::shared_ptr<State> state_;
};

// Ends its Cancel when told to, or when the parent's ends. Dropping the source does not cancel.
class CancelSource {
 public:
  CancelSource() : CancelSource(Cancel()) {}
  explicit CancelSource(const Cancel& parent, std::optional<std::chrono::milliseconds> timeout = std::nullopt);
  ~CancelSource();
  CancelSource(const CancelSource&) = delete;
  CancelSource& operator=(const CancelSource&) = delete;

  const Cancel& cancel() const { return cancel_; }
  // First call wins. `why` becomes the message of status().
  void Stop(Status why = Status(Code::kCancelled, "cancelled"));

 private:
  Cancel cancel_;
  Cancel::Registration parent_;
};

}  // namespace gauntlet
