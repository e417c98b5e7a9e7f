// BuildInfo: version and commit of this binary, for --version, status/buildinfo and the *_build_info metric.
//
// Threads: from any thread.

#pragma once

#include <string>

#include "telemetry/metrics.h"

namespace gauntlet::telemetry {

struct BuildInfo {
  std::string version, revision, branch, build_user, build_date, compiler;
};
const BuildInfo& ThisBuild();
// "thanos_build_info" for name "thanos".
void RegisterBuildInfo(Registry& registry, const std::string& name);

}  // namespace gauntlet::telemetry
