// SpanBatcher: collects finished spans in a bounded queue and sends them in batches, from a task of its own.
//
// A span for which there is no room is dropped and counted: tracing never slows what it watches.
// Threads: thread-safe. The registry outlives the exporters as well.

#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "base/cancel.h"
#include "base/executor.h"
#include "base/status.h"
#include "telemetry/log.h"
#include "telemetry/metrics.h"
#include "telemetry/trace.h"
#include "tracing/tracing_config.h"

namespace gauntlet::tracing {

struct SpanBatcherOptions {
  size_t queue_max = 2048, batch_max = 512;
  std::chrono::milliseconds delay{5'000};             // a span waits at most so long for its batch
  std::chrono::milliseconds shutdown_timeout{5'000};  // to send what is queued at the end
  std::chrono::nanoseconds send_timeout = std::chrono::seconds(10);
  RetryConfig retry;  // of sends that fail with kUnavailable, kDeadline, kExhausted
};

class SpanBatcher {
 public:
  using Send = std::function<Status(const std::vector<telemetry::SpanRecord>&, const Cancel&)>;

  // One task of `executor` is taken until the end.
  SpanBatcher(SpanBatcherOptions options, Send send, telemetry::Registry& registry, const telemetry::Logger& logger,
              Executor& executor);
  // Sends what is queued, for a while; afterwards exporters drop what they get.
  ~SpanBatcher();

  // For a Tracer; may outlive the batcher.
  telemetry::SpanExporter exporter() const;
  // Waits until all that is queued now was sent or given up.
  void Flush();

 private:
  class Rep;
  std::shared_ptr<Rep> rep_;
};

}  // namespace gauntlet::tracing
