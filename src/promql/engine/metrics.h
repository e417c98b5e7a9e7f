// prometheus_engine_*: what the engine tells about itself.
//
// Upstream: prometheus promql/engine.go (engineMetrics)
// Threads:  thread-safe.

#pragma once

#include <cstddef>

#include "promql/engine/result.h"

namespace gauntlet::telemetry {
class Counter;
class Gauge;
class Histogram;
class Registry;
class Summary;
}  // namespace gauntlet::telemetry

namespace gauntlet::promql {

// The duration of one part of a query's life.
class SliceMetrics {
 public:
  void Observe(double seconds);

 private:
  friend class EngineMetrics;
  telemetry::Summary* summary_ = nullptr;
  telemetry::Histogram* histogram_ = nullptr;
};

class EngineMetrics {
 public:
  // `registry` may be null.
  EngineMetrics(telemetry::Registry* registry, size_t max_concurrent);
  void Begin();
  void End(const QueryStats& stats);

  SliceMetrics queue, prepare, inner_eval, sort;

 private:
  telemetry::Gauge* queries_ = nullptr;
  telemetry::Counter* samples_ = nullptr;
  telemetry::Counter* samples_read_ = nullptr;
};

}  // namespace gauntlet::promql
