// Heartbeat: what the sidecar knows of its Prometheus, asked again at an interval: labels, times, version, whether it
// is up.
//
// While Prometheus does not answer, or has no data yet, it is asked every second, so that its return is seen at once,
// and its times are known before replicas are compared by them.
//
// Upstream: thanos cmd/thanos/sidecar.go
// Threads:  thread-safe. Run() blocks its thread until the cancel.

#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <set>
#include <string>

#include "base/cancel.h"
#include "base/mutex.h"
#include "base/status.h"
#include "model/labels.h"
#include "sidecar/prometheus_api.h"
#include "telemetry/log.h"
#include "telemetry/metrics.h"

namespace gauntlet::sidecar {

// One consistent view of Prometheus.
struct PrometheusState {
  bool up = false;
  bool has_data = false;  // false: an empty database, whose times are not known yet
  Labels external_labels;
  int64_t min_time_ms = 0;
  DatabaseFacts database;
  int64_t out_of_order_window_ms = 0;
  PrometheusVersion version;
  // Names of its own labels, as of the last heartbeat: an external label of the same name changes the order of series.
  std::set<std::string, std::less<>> label_names;
};

struct HeartbeatOptions {
  std::chrono::milliseconds interval{30'000};
  std::chrono::milliseconds timeout{30'000};            // of one look
  std::chrono::milliseconds ready_timeout{600'000};     // until the first that succeeds
  std::function<int64_t()> min_time_ms;                 // --min-time, as of now, applied to what Prometheus says
  std::function<void(const PrometheusState&)> on_look;  // called after each look that succeeds
};

class Heartbeat {
 public:
  Heartbeat(HeartbeatOptions options, const PrometheusApi& api, telemetry::Registry& registry,
            telemetry::Logger logger);

  // Waits for Prometheus; kInvalid when it has no external labels, kDeadline after ready_timeout.
  Status WaitUntilUp(const Cancel& cancel);
  // Looks again and again; `on_change(up)` is called when it goes down or comes back.
  void Run(const Cancel& cancel, const std::function<void(bool up)>& on_change);

  std::shared_ptr<const PrometheusState> state() const;

 private:
  Status Look(const Cancel& cancel);
  void Set(std::shared_ptr<const PrometheusState> state);
  // False when cancelled meanwhile.

  const HeartbeatOptions options_;
  const PrometheusApi& api_;
  telemetry::Logger logger_;
  telemetry::Gauge& up_;
  telemetry::Gauge& last_success_;
  mutable Mutex mutex_;
  std::shared_ptr<const PrometheusState> state_ GN_GUARDED_BY(mutex_);
};

}  // namespace gauntlet::sidecar
