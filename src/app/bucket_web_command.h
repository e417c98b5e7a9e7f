// `gauntlet tools bucket web`: the blocks of a bucket as a page.
//
// Threads: at the start of the program, one.

#pragma once

#include "app/common_flags.h"
#include "flags/app.h"

namespace gauntlet::app {

void AddBucketWebCommand(flags::App& app, flags::Command& bucket, const GlobalFlags& global);

}  // namespace gauntlet::app
