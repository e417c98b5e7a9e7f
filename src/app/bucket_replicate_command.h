// `gauntlet tools bucket replicate`.

#pragma once

#include "app/common_flags.h"
#include "flags/app.h"

namespace gauntlet::app {

void AddBucketReplicateCommand(flags::Command& bucket, const GlobalFlags& global);

}  // namespace gauntlet::app
