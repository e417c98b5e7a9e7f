// Prober: whether the component is up and ready to serve; what orchestrators ask.
//
// Upstream: thanos pkg/prober
// Threads:  thread-safe.

#pragma once

#include <atomic>
#include <string>

#include "base/status.h"
#include "net/http/server.h"
#include "telemetry/log.h"
#include "telemetry/metrics.h"

namespace gauntlet::server {

class Prober {
 public:
  // Makes the gauge thanos_status{component,check}. Starts neither healthy nor ready.
  Prober(const std::string& component, telemetry::Registry& registry, const telemetry::Logger& logger);

  void SetHealthy() { Set(healthy_, healthy_gauge_, "healthy", Status()); }
  void SetReady() { Set(ready_, ready_gauge_, "ready", Status()); }
  void SetNotHealthy(const Status& why) { Set(healthy_, healthy_gauge_, "healthy", why); }
  void SetNotReady(const Status& why) { Set(ready_, ready_gauge_, "ready", why); }
  bool healthy() const { return healthy_.load(); }
  bool ready() const { return ready_.load(); }

  // 200 "OK" or 503 "NOT OK". The prober must outlive the handlers.
  net::HttpHandler HealthyHandler() const;
  net::HttpHandler ReadyHandler() const;

 private:
  void Set(std::atomic<bool>& state, telemetry::Gauge& gauge, const char* check, const Status& why);

  telemetry::Logger logger_;
  std::atomic<bool> healthy_{false}, ready_{false};
  telemetry::Gauge& healthy_gauge_;
  telemetry::Gauge& ready_gauge_;
};

}  // namespace gauntlet::server
