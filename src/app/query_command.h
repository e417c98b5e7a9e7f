// `gauntlet query`: many endpoints seen as one, behind Prometheus' HTTP API.
//
// Threads: at the start of the program, one.

#pragma once

#include "flags/app.h"

namespace gauntlet::app {

struct GlobalFlags;

void AddQueryCommand(flags::App& app, const GlobalFlags& global);

}  // namespace gauntlet::app
