#include "server/gate.h"

#include <chrono>

namespace gauntlet::server {

Gate::Gate(size_t width, const std::string& prefix, telemetry::Registry& registry)
    : width_(width),
      in_flight_(
          registry.MakeGauge(prefix + "_gate_queries_in_flight", "Number of queries that are currently in flight.")),
      waited_(registry.MakeHistogram(prefix + "_gate_duration_seconds",
                                     "How many seconds it took for queries to wait at the gate.",
                                     {.01, .1, .3, .6, 1, 3, 6, 9, 20, 30, 60, 90, 120, 240, 360, 720})) {
  registry.MakeGauge(prefix + "_gate_queries_max", "Maximum number of concurrent queries.")
      .Set(static_cast<double>(width));
}

Result<Gate::Pass> Gate::Enter(const Cancel& cancel) {
  auto begun = std::chrono::steady_clock::now();
  auto registration = cancel.OnStop([this] {
    MutexLock lock(mutex_);
    changed_.NotifyAll();
  });
  MutexLock lock(mutex_);
  while (width_ != 0 && inside_ >= width_) {
    GN_TRY(cancel.status());
    if (auto deadline = cancel.deadline()) {
      changed_.WaitUntil(mutex_, *deadline);
    } else {
      changed_.Wait(mutex_);
    }
  }
  ++inside_;
  in_flight_.Add(1);
  waited_.Observe(std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count());
  return Pass(this);
}

void Gate::Leave() {
  MutexLock lock(mutex_);
  --inside_;
  in_flight_.Add(-1);
  changed_.NotifyOne();
}

}  // namespace gauntlet::server
