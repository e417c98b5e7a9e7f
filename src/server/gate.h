// Gate: lets so many queries in at once; the others wait their turn, until their cancel.
//
// Upstream: thanos pkg/gate
// Threads:  thread-safe.

#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/cancel.h"
#include "base/fair_gate.h"
#include "base/status.h"
#include "telemetry/metrics.h"

namespace gauntlet::server {

class Gate {
 public:
  // A place inside; given back when it goes.
  class Pass {
   public:
    Pass() = default;
    Pass(FairGate::Pass place, telemetry::Gauge* in_flight) : place_(std::move(place)), in_flight_(in_flight) {}
    Pass(Pass&& other) noexcept
        : place_(std::move(other.place_)), in_flight_(std::exchange(other.in_flight_, nullptr)) {}
    Pass& operator=(Pass&&) = delete;
    ~Pass() {
      if (in_flight_ != nullptr) in_flight_->Add(-1);
    }

   private:
    FairGate::Pass place_;
    telemetry::Gauge* in_flight_ = nullptr;
  };

  // Metrics <prefix>_gate_queries_max, _gate_queries_in_flight, _gate_duration_seconds. `width` 0 = no limit.
  Gate(size_t width, const std::string& prefix, telemetry::Registry& registry);
  // The same with a label "name", for those of which there are several.
  static std::unique_ptr<Gate> Named(size_t width, const std::string& prefix, std::string_view name,
                                     telemetry::Registry& registry);

  // Waits for a place; the cancel's status when it ends first, which says how many others had the places.
  Result<Pass> Enter(const Cancel& cancel);
  size_t waiting() const { return places_.waiting(); }

 private:
  struct Instruments {
    telemetry::Gauge& max;
    telemetry::Gauge& in_flight;
    telemetry::Histogram& waited;
  };
  Gate(size_t width, std::string name, const Instruments& instruments);

  const std::string name_;
  const size_t width_;
  FairGate places_;
  telemetry::Gauge& in_flight_;
  telemetry::Histogram& waited_;
};

}  // namespace gauntlet::server
