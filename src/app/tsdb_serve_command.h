// `gauntlet tools tsdb serve DIR`: the HTTP API v1 over the blocks in a folder.
//
// Threads: a function.

#pragma once

#include "app/common_flags.h"
#include "flags/app.h"

namespace gauntlet::app {

void AddTsdbServeCommand(flags::App& app, flags::Command& tsdb, const GlobalFlags& global);

}  // namespace gauntlet::app
