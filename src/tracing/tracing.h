// Tracing: the tracer of a component and the export of its spans, from --tracing.config.
//
// Threads: thread-safe.

#pragma once

#include <memory>
#include <string>

#include "base/executor.h"
#include "base/status.h"
#include "telemetry/log.h"
#include "telemetry/metrics.h"
#include "telemetry/trace.h"
#include "tracing/span_batcher.h"
#include "tracing/tracing_config.h"

namespace gauntlet::tracing {

// The sender of one configuration: OTLP over gRPC or HTTP. `component` names the service if the configuration does not.
Result<SpanBatcher::Send> MakeOtlpSend(const TracingConfig& config, const std::string& component);

class Tracing {
 public:
  // Without a configuration: a tracer that only passes contexts on. Does not connect yet.
  static Result<std::unique_ptr<Tracing>> Start(const TracingConfig& config, const std::string& component,
                                                telemetry::Registry& registry, const telemetry::Logger& logger,
                                                Executor& executor);
  telemetry::Tracer& tracer() { return *tracer_; }
  void Flush();

 private:
  Tracing() = default;
  std::unique_ptr<SpanBatcher> batcher_;
  std::unique_ptr<telemetry::Tracer> tracer_;
};

}  // namespace gauntlet::tracing
