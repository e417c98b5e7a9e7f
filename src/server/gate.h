// Gate: lets so many queries in at once; the others wait, until their cancel.
//
// Upstream: thanos pkg/gate
// Threads:  thread-safe. Waiters come in in no promised order.

#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "base/cancel.h"
#include "base/mutex.h"
#include "base/status.h"
#include "telemetry/metrics.h"

namespace gauntlet::server {

class Gate {
 public:
  // A place inside; given back when it goes.
  class Pass {
   public:
    Pass() = default;
    explicit Pass(Gate* gate) : gate_(gate) {}
    Pass(Pass&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
    Pass& operator=(Pass&&) = delete;
    ~Pass() {
      if (gate_ != nullptr) gate_->Leave();
    }

   private:
    Gate* gate_ = nullptr;
  };

  // Metrics <prefix>_gate_queries_max, _gate_queries_in_flight, _gate_duration_seconds. `width` 0 = no limit.
  Gate(size_t width, const std::string& prefix, telemetry::Registry& registry);

  // Waits for a place; the cancel's status when it ends first.
  Result<Pass> Enter(const Cancel& cancel);

 private:
  void Leave();

  const size_t width_;
  telemetry::Gauge& in_flight_;
  telemetry::Histogram& waited_;
  Mutex mutex_;
  CondVar changed_;
  size_t inside_ GN_GUARDED_BY(mutex_) = 0;
};

}  // namespace gauntlet::server
