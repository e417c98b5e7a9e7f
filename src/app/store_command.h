// `gauntlet store`: the store gateway.
//
// Threads: called once, by main.

#pragma once

#include "app/common_flags.h"
#include "flags/app.h"

namespace gauntlet::app {

void AddStoreCommand(flags::App& app, const GlobalFlags& global);

}  // namespace gauntlet::app
