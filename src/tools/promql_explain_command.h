// `tools promql-explain QUERY`: how a query is evaluated, and with --analyze what its operators cost on given data.
//
// Threads: functions.

#pragma once

#include <cstdint>
#include <string>

#include "flags/app.h"
#include "io/file_system.h"

namespace gauntlet::tools {

void AddPromqlExplainCommand(flags::Command& tools);

struct ExplainOptions {
  std::string query;
  int64_t start_ms = 0, end_ms = 0, step_ms = 0;  // step 0: an instant query at `end_ms`
  std::string load_file;                          // a script of the promqltest language whose loads make the data
  bool analyze = false;
};

// Appends the plan, or what is wrong, to `out`. Returns the exit code.
int RunPromqlExplain(io::FileSystem& files, const ExplainOptions& options, std::string* out);

}  // namespace gauntlet::tools
