// `gauntlet tools bucket cleanup`, `retention` and `upload-blocks`.

#pragma once

#include "app/common_flags.h"
#include "flags/app.h"

namespace gauntlet::app {

void AddBucketUpkeepCommands(flags::Command& bucket, const GlobalFlags& global);

}  // namespace gauntlet::app
