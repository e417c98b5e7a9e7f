// gauntlet: one binary, one command per component.

#include <cstdio>
#include <string>
#include <vector>

#include "app/bucket_commands.h"
#include "app/common_flags.h"
#include "app/compact_command.h"
#include "app/query_command.h"
#include "app/runtime.h"
#include "app/sidecar_command.h"
#include "app/store_command.h"
#include "app/tsdb_serve_command.h"
#include "flags/app.h"
#include "tools/tools.h"

int main(int argc, char** argv) {
  using namespace gauntlet;
  flags::App app("gauntlet", "A highly available Prometheus, on the architecture of Thanos.", app::VersionText());
  app::GlobalFlags global;
  global.Register(app.flags());
  app::AddSidecarCommand(app, global);
  app::AddQueryCommand(app, global);
  app::AddStoreCommand(app, global);
  app::AddCompactCommand(app, global);
  tools::ToolGroups groups = tools::AddTools(app);
  app::AddTsdbServeCommand(app, groups.tsdb, global);
  app::AddBucketCommands(app, groups.tools, global);

  Result<flags::App::Parsed> parsed = app.Parse(std::vector<std::string>(argv + 1, argv + argc));
  if (!parsed.ok()) {
    std::fprintf(stderr, "gauntlet: error: %.*s, try --help\n", static_cast<int>(parsed.status().message().size()),
                 parsed.status().message().data());
    return 1;
  }
  std::fputs(parsed->print.c_str(), stdout);
  for (const std::string& warning : parsed->warnings) std::fprintf(stderr, "gauntlet: warning: %s\n", warning.c_str());
  return parsed->command != nullptr ? parsed->command->run()() : 0;
}
