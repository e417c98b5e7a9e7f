// `gauntlet tools bucket cleanup`, `retention` and `upload-blocks`.
//
// Threads: at the start of the program, one.

#pragma once

#include "app/common_flags.h"
#include "flags/app.h"

namespace gauntlet::app {

void AddBucketUpkeepCommands(flags::Command& bucket, const GlobalFlags& global);

}  // namespace gauntlet::app
