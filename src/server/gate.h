// Gate: lets so many queries in at once; the others wait their turn, until their cancel.
//
// Upstream: thanos pkg/gate
// Threads:  thread-safe. Waiters come in in the order in which they came.

#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <string>
#include <string_view>
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
  // The same with a label "name", for those of which there are several.
  static std::unique_ptr<Gate> Named(size_t width, const std::string& prefix, std::string_view name,
                                     telemetry::Registry& registry);

  // Waits for a place; the cancel's status when it ends first, which says how many others had the places.
  Result<Pass> Enter(const Cancel& cancel);
  size_t waiting() const;

 private:
  struct Instruments {
    telemetry::Gauge& max;
    telemetry::Gauge& in_flight;
    telemetry::Histogram& waited;
  };
  Gate(size_t width, std::string name, const Instruments& instruments);

  struct Waiter {
    CondVar called;
    bool inside = false;
  };

  void Leave();
  void Admit() GN_REQUIRES(mutex_);

  const std::string name_;
  const size_t width_;
  telemetry::Gauge& in_flight_;
  telemetry::Histogram& waited_;
  mutable Mutex mutex_;
  std::list<Waiter*> waiting_ GN_GUARDED_BY(mutex_);  // the first came first
  size_t inside_ GN_GUARDED_BY(mutex_) = 0;
};

}  // namespace gauntlet::server
