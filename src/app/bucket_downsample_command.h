// `gauntlet tools bucket downsample`: the downsampling of a compactor, by itself.
//
// Threads: at the start of the program, one.

#pragma once

#include "app/common_flags.h"
#include "flags/app.h"

namespace gauntlet::app {

void AddBucketDownsampleCommand(flags::Command& bucket, const GlobalFlags& global);

}  // namespace gauntlet::app
