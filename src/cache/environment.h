// Environment: what caches live in.
//
// Threads: a value; what it names outlives every cache.

#pragma once

#include <cstddef>

#include "base/executor.h"
#include "telemetry/log.h"
#include "telemetry/metrics.h"

namespace gauntlet::cache {

struct Environment {
  Executor& executor;  // its tasks block
  telemetry::Registry& registry;
  telemetry::Logger& logger;
  size_t put_bytes_max = 64 << 20;  // of values on their way to a server, for each cache
};

}  // namespace gauntlet::cache
