// MakeBucket: from Thanos' objstore YAML to a bucket.
//
// Format:  Thanos, "storage": type, config, prefix; strict where Thanos is      Upstream: objstore client/factory.go
// Threads: free functions. Defined in factory/, which knows the providers: nothing else of this module does.

#pragma once

#include <memory>
#include <string_view>

#include "base/status.h"
#include "objstore/bucket.h"
#include "objstore/environment.h"
#include "telemetry/metrics.h"

namespace gauntlet::objstore {

// The bucket, below its prefix. `yaml` may hold secrets; errors do not.
Result<std::unique_ptr<Bucket>> MakeBucket(std::string_view yaml, const Environment& environment);
// The same, metered.
Result<std::unique_ptr<Bucket>> MakeBucket(std::string_view yaml, const Environment& environment,
                                           telemetry::Registry& registry);

}  // namespace gauntlet::objstore
