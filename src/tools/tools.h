// Tools: the list of commands below `gauntlet tools`.
//
// To add one: its file, and a line in tools.cc. A group (`tools tsdb …`) is a command to which others are added.
//
// Upstream: prometheus cmd/promtool, thanos cmd/thanos/tools.go
// Threads:  a function.

#pragma once

#include "flags/app.h"

namespace gauntlet::tools {

void AddTools(flags::App& app);

}  // namespace gauntlet::tools
