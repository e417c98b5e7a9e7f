// Environment: what buckets live in.
//
// Threads: as its members.

#pragma once

#include <string>

#include "base/executor.h"
#include "io/file_system.h"
#include "telemetry/log.h"

namespace gauntlet::objstore {

// All of it outlives the buckets.
struct Environment {
  Executor& executor;  // for parts of uploads; its tasks block
  io::FileSystem& files;
  telemetry::Logger& logger;
  std::string component;           // "sidecar": requests come from "thanos-sidecar/..."
  std::string version = "0.43.0";  // of the same
};

}  // namespace gauntlet::objstore
