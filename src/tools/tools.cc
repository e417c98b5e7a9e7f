#include "tools/tools.h"

#include "tools/promql_test_command.h"

namespace gauntlet::tools {

void AddTools(flags::App& app) {
  flags::Command& tools = app.AddCommand("tools", "Tools for queries and data.");
  AddPromqlTestCommand(tools);
}

}  // namespace gauntlet::tools
