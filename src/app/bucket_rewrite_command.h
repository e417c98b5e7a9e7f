// `gauntlet tools bucket rewrite`: chosen blocks again, without some series or samples, or with other labels.
//
// Threads: at the start of the program, one.

#pragma once

#include "app/common_flags.h"
#include "flags/app.h"

namespace gauntlet::app {

void AddBucketRewriteCommand(flags::Command& bucket, const GlobalFlags& global);

}  // namespace gauntlet::app
