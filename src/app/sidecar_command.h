// `gauntlet sidecar`: a real Prometheus seen through StoreAPI.
//
// Threads: at the start of the program, one.

#pragma once

#include "flags/app.h"

namespace gauntlet::app {

struct GlobalFlags;

void AddSidecarCommand(flags::App& app, const GlobalFlags& global);

}  // namespace gauntlet::app
