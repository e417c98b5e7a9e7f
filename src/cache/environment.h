// Environment: what caches live in.
//
// Threads: a value; what it names outlives every cache.

#pragma once

#include "base/executor.h"
#include "telemetry/log.h"
#include "telemetry/metrics.h"

namespace gauntlet::cache {

struct Environment {
  Executor& executor;  // its tasks block
  telemetry::Registry& registry;
  telemetry::Logger& logger;
};

}  // namespace gauntlet::cache
