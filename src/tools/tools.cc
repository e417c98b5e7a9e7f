#include "tools/tools.h"

#include "tools/promql_explain_command.h"
#include "tools/promql_test_command.h"
#include "tools/tsdb_commands.h"

namespace gauntlet::tools {

ToolGroups AddTools(flags::App& app) {
  flags::Command& tools = app.AddCommand("tools", "Tools for queries and data.");
  AddPromqlExplainCommand(tools);
  AddPromqlTestCommand(tools);
  flags::Command& tsdb = AddTsdbCommands(tools);
  return {tools, tsdb};
}

}  // namespace gauntlet::tools
