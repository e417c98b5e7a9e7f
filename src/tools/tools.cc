#include "tools/tools.h"

#include "tools/promql_test_command.h"
#include "tools/tsdb_commands.h"

namespace gauntlet::tools {

void AddTools(flags::App& app) {
  flags::Command& tools = app.AddCommand("tools", "Tools for queries and data.");
  AddPromqlTestCommand(tools);
  AddTsdbCommands(tools);
}

}  // namespace gauntlet::tools
