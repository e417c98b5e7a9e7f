// `gauntlet tools bucket …`: commands over the blocks of a bucket, as of `thanos tools bucket`.
//
// Threads: at the start of the program, one.

#pragma once

#include "app/common_flags.h"
#include "flags/app.h"

namespace gauntlet::app {

void AddBucketCommands(flags::App& app, flags::Command& tools, const GlobalFlags& global);

}  // namespace gauntlet::app
