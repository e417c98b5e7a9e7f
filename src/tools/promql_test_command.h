// `tools promql-test FILE…`: runs scripts of the promqltest language against the engine.
//
// Threads: functions.

#pragma once

#include <string>
#include <vector>

#include "flags/app.h"
#include "io/file_system.h"

namespace gauntlet::tools {

void AddPromqlTestCommand(flags::Command& tools);

// Appends to `out` what is wrong, each failure with FILE:LINE and the difference, and last "N passed, N failed".
// Returns the exit code: 1 when an eval failed, 2 when a file could not be run.
int RunPromqlTests(io::FileSystem& files, const std::vector<std::string>& paths, std::string* out);

}  // namespace gauntlet::tools
