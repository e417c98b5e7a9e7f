// Tools: the list of commands below `gauntlet tools`.
//
// To add one: its file, and a line in tools.cc. A group (`tools tsdb …`) is a command to which others are added.
//
// Upstream: prometheus cmd/promtool, thanos cmd/thanos/tools.go
// Threads:  a function.

#pragma once

#include "flags/app.h"

namespace gauntlet::tools {

// The groups to which others add their commands: those that serve, and so live in `app`.
struct ToolGroups {
  flags::Command& tools;
  flags::Command& tsdb;
};

ToolGroups AddTools(flags::App& app);

}  // namespace gauntlet::tools
