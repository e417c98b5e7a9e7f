// `gauntlet tools bucket repair`: what compaction has set aside, and getting it out of there.
//
// Threads: one thread (main).

#pragma once

#include "app/common_flags.h"
#include "flags/app.h"

namespace gauntlet::app {

void AddBucketRepairCommand(flags::Command& bucket, const GlobalFlags& global);

}  // namespace gauntlet::app
