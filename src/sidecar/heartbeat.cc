#include "sidecar/heartbeat.h"

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "base/sleep.h"
#include "model/time.h"

namespace gauntlet::sidecar {
namespace {

constexpr std::chrono::milliseconds kRetry{1000};

}  // namespace

Heartbeat::Heartbeat(HeartbeatOptions options, const PrometheusApi& api, telemetry::Registry& registry,
                     telemetry::Logger logger)
    : options_(options),
      api_(api),
      logger_(std::move(logger)),
      up_(registry.MakeGauge("thanos_sidecar_prometheus_up",
                             "Boolean indicator whether the sidecar can reach its Prometheus peer.")),
      last_success_(registry.MakeGauge("thanos_sidecar_last_heartbeat_success_time_seconds",
                                       "Timestamp of the last successful heartbeat in seconds.")),
      state_(std::make_shared<PrometheusState>()) {}

std::shared_ptr<const PrometheusState> Heartbeat::state() const {
  MutexLock lock(mutex_);
  return state_;
}

void Heartbeat::Set(std::shared_ptr<const PrometheusState> state) {
  up_.Set(state->up);
  MutexLock lock(mutex_);
  state_ = std::move(state);
}

Status Heartbeat::Look(const Cancel& cancel) {
  CancelSource source(cancel, options_.timeout);
  auto state = std::make_shared<PrometheusState>();
  GN_ASSIGN(state->version, api_.Version(source.cancel()));
  GN_ASSIGN(state->database, api_.Database(source.cancel()));
  state->has_data = state->database.lowest_ms != kMinTimeMs;
  state->min_time_ms = state->database.lowest_ms;
  if (options_.min_time_ms) state->min_time_ms = std::max(state->min_time_ms, options_.min_time_ms());
  GN_ASSIGN(PrometheusConfig config, api_.Config(source.cancel()));
  state->external_labels = std::move(config.external_labels);
  state->out_of_order_window_ms = config.out_of_order_window_ms;
  if (state->external_labels.empty()) {
    return Status(
        Code::kInvalid,
        "no external labels configured on Prometheus server, uniquely identifying external labels must be configured; "
        "see https://thanos.io/tip/thanos/storage.md#external-labels for details.");
  }
  GN_ASSIGN(std::vector<std::string> names, api_.LabelNames({}, kMinTimeMs, kMaxTimeMs, 0, source.cancel()));
  state->label_names = {std::make_move_iterator(names.begin()), std::make_move_iterator(names.end())};
  state->up = true;
  if (options_.on_look) options_.on_look(*state);
  Set(std::move(state));
  last_success_.Set(static_cast<double>(SystemClock().NowMs()) / 1000);
  return Status();
}

Status Heartbeat::WaitUntilUp(const Cancel& cancel) {
  CancelSource source(cancel, options_.ready_timeout);
  while (true) {
    Status st = Look(source.cancel());
    if (st.ok() || st.code() == Code::kInvalid) return st;
    GN_LOG(logger_, kWarn, "Prometheus is not ready yet; retrying", {"url", api_.base_url()}, {"err", st});
    if (!SleepFor(kRetry, source.cancel())) {
      GN_TRY(cancel.status());
      return st.Wrap("Prometheus " + api_.base_url() + " was not ready in time");
    }
  }
}

void Heartbeat::Run(const Cancel& cancel, const std::function<void(bool up)>& on_change) {
  while (true) {
    auto before = state();
    if (!SleepFor(before->up && before->has_data ? options_.interval : kRetry, cancel)) return;
    bool was_up = before->up;
    Status st = Look(cancel);
    if (cancel.stopped()) return;
    if (!st.ok()) {
      auto down = std::make_shared<PrometheusState>(*state());
      down->up = false;
      Set(std::move(down));
      if (was_up) GN_LOG(logger_, kWarn, "heartbeat of Prometheus is missing", {"url", api_.base_url()}, {"err", st});
    }
    if (st.ok() != was_up) on_change(st.ok());
  }
}

}  // namespace gauntlet::sidecar
