// `gauntlet compact`: keeps a bucket compact, downsampled and within its retention.
//
// Threads: one thread (main).

#pragma once

#include "app/common_flags.h"
#include "flags/app.h"

namespace gauntlet::app {

void AddCompactCommand(flags::App& app, const GlobalFlags& global);

}  // namespace gauntlet::app
