#include "server/gate.h"

#include <chrono>
#include <utility>
#include <vector>

namespace gauntlet::server {

namespace {

constexpr char kMaxHelp[] = "Maximum number of concurrent queries.";
constexpr char kInFlightHelp[] = "Number of queries that are currently in flight.";
constexpr char kWaitedHelp[] = "How many seconds it took for queries to wait at the gate.";
const std::vector<double> kSeconds = {.01, .1, .3, .6, 1, 3, 6, 9, 20, 30, 60, 90, 120, 240, 360, 720};

}  // namespace

Gate::Gate(size_t width, std::string name, const Instruments& instruments)
    : name_(std::move(name)),
      width_(width),
      places_(width),
      in_flight_(instruments.in_flight),
      waited_(instruments.waited) {
  instruments.max.Set(static_cast<double>(width));
}

Gate::Gate(size_t width, const std::string& prefix, telemetry::Registry& registry)
    : Gate(width, prefix + "_gate",
           {registry.MakeGauge(prefix + "_gate_queries_max", kMaxHelp),
            registry.MakeGauge(prefix + "_gate_queries_in_flight", kInFlightHelp),
            registry.MakeHistogram(prefix + "_gate_duration_seconds", kWaitedHelp, kSeconds)}) {}

std::unique_ptr<Gate> Gate::Named(size_t width, const std::string& prefix, std::string_view name,
                                  telemetry::Registry& registry) {
  auto max = registry.MakeGauges(prefix + "_gate_queries_max", kMaxHelp, {"name"});
  auto in_flight = registry.MakeGauges(prefix + "_gate_queries_in_flight", kInFlightHelp, {"name"});
  auto waited = registry.MakeHistograms(prefix + "_gate_duration_seconds", kWaitedHelp, {"name"}, kSeconds);
  return std::unique_ptr<Gate>(new Gate(width, prefix + "_gate " + std::string(name),
                                        {max.With({name}), in_flight.With({name}), waited.With({name})}));
}

Result<Gate::Pass> Gate::Enter(const Cancel& cancel) {
  auto begun = std::chrono::steady_clock::now();
  Result<FairGate::Pass> place = places_.Enter(cancel);
  if (!place.ok()) {
    Status stopped = place.status();
    return std::move(stopped).Wrap("wait for one of " + std::to_string(width_) + " places (" + name_ + ")");
  }
  in_flight_.Add(1);
  waited_.Observe(std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count());
  return Pass(*std::move(place), &in_flight_);
}

}  // namespace gauntlet::server
