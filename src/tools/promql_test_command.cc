#include "tools/promql_test_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <memory>

#include "base/clock.h"
#include "base/executor.h"
#include "promql/script/runner.h"

namespace gauntlet::tools {
namespace {

Result<promql::ScriptReport> RunFile(io::FileSystem& files, const std::string& path, promql::Engine& engine) {
  GN_ASSIGN(std::string text, files.ReadFile(path));
  return promql::RunScript(text, engine);
}

void AppendFailure(const std::string& path, const promql::ScriptFailure& failure, std::string* out) {
  fmt::format_to(std::back_inserter(*out), "{}:{}: {}\n    {}\n", path, failure.line, failure.what, failure.expr);
  for (const std::string& line : failure.difference) fmt::format_to(std::back_inserter(*out), "    {}\n", line);
}

}  // namespace

int RunPromqlTests(io::FileSystem& files, const std::vector<std::string>& paths, std::string* out) {
  InlineExecutor executor;
  promql::Engine engine(promql::ScriptEngineOptions(), executor, nullptr, SystemClock());
  int exit_code = 0;
  size_t passed = 0, failed = 0;
  for (const std::string& path : paths) {
    Result<promql::ScriptReport> report = RunFile(files, path, engine);
    if (!report.ok()) {
      fmt::format_to(std::back_inserter(*out), "{}: {}\n", path, report.status().message());
      exit_code = 2;
      continue;
    }
    for (const auto& failure : report->failures) AppendFailure(path, failure, out);
    passed += static_cast<size_t>(report->passed);
    failed += report->failures.size();
  }
  fmt::format_to(std::back_inserter(*out), "{} passed, {} failed\n", passed, failed);
  return std::max(exit_code, failed > 0 ? 1 : 0);
}

void AddPromqlTestCommand(flags::Command& tools) {
  auto paths = std::make_shared<std::vector<std::string>>();
  tools.AddCommand("promql-test", "Run scripts of the promqltest language against the query engine.")
      .Arguments("file", "Scripts to run.", paths.get())
      .Run([paths] {
        std::string out;
        int exit_code = RunPromqlTests(io::RealFileSystem(), *paths, &out);
        std::fputs(out.c_str(), stdout);
        return exit_code;
      });
}

}  // namespace gauntlet::tools
