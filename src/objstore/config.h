// MakeBucket: from Thanos' objstore YAML to a bucket.
//
// Format:  Thanos, "storage": type, config, prefix; strict where Thanos is      Upstream: objstore client/factory.go
// Threads: free functions.

#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/executor.h"
#include "base/status.h"
#include "io/file_system.h"
#include "objstore/bucket.h"
#include "telemetry/log.h"
#include "telemetry/metrics.h"

namespace gauntlet::objstore {

// What buckets live in; all of it outlives them.
struct Environment {
  Executor& executor;  // for parts of uploads; its tasks block
  io::FileSystem& files;
  telemetry::Logger& logger;
  std::string component;           // "sidecar": requests come from "thanos-sidecar/..."
  std::string version = "0.43.0";  // of the same
};

// The bucket, below its prefix. `yaml` may hold secrets; errors do not.
Result<std::unique_ptr<Bucket>> MakeBucket(std::string_view yaml, const Environment& environment);
// The same, metered.
Result<std::unique_ptr<Bucket>> MakeBucket(std::string_view yaml, const Environment& environment,
                                           telemetry::Registry& registry);

}  // namespace gauntlet::objstore
