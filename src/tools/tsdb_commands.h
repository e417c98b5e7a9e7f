// `tools tsdb …`: commands over a database folder, printing as promtool does.
//
// Upstream: prometheus cmd/promtool/main.go, tsdb.go
// Threads:  functions.

#pragma once

#include "flags/app.h"

namespace gauntlet::tools {

// Returns the group.
flags::Command& AddTsdbCommands(flags::Command& tools);

}  // namespace gauntlet::tools
