// Runs upstream's own scripts from $GAUNTLET_SHARED/promqltest.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "promql/script/runner.h"

namespace gauntlet::promql {
namespace {

std::filesystem::path SharedDir() {
  if (const char* dir = std::getenv("GAUNTLET_SHARED")) return dir;
  for (auto dir = std::filesystem::current_path(); dir != dir.root_path(); dir = dir.parent_path()) {
    if (std::filesystem::exists(dir / "shared/promqltest")) return dir / "shared";
  }
  return "";
}

void RunAll(Executor& executor) {
  auto dir = SharedDir() / "promqltest";
  if (!std::filesystem::exists(dir)) GTEST_SKIP() << "no promqltest scripts beside the repository";
  Engine engine(ScriptEngineOptions(), executor, nullptr, SystemClock());
  int passed = 0, unsupported = 0;
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(dir)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  for (const auto& path : files) {
    if (path.extension() != ".test") continue;
    std::stringstream text;
    text << std::ifstream(path).rdbuf();
    auto report = RunScript(text.str(), engine);
    ASSERT_TRUE(report.ok()) << path << ": " << report.status().message();
    passed += report->passed;
    for (const auto& failure : report->failures) {
      std::string line = fmt::format("{}:{}: {}", path.filename().string(), failure.line, failure.what);
      if (failure.unsupported) {
        ++unsupported;
      } else {
        ADD_FAILURE() << line;
      }
      if (std::getenv("PRINT_FAILURES") != nullptr) fmt::print("{}\n", line);
    }
  }
  fmt::print("{} passed, {} not yet supported\n", passed, unsupported);
  EXPECT_EQ(passed, 2214);
}

TEST(UpstreamScripts, AllEvals) {
  InlineExecutor executor;
  RunAll(executor);
}

TEST(UpstreamScripts, AllEvalsInParallel) {
  ThreadPool executor("query", 4);
  RunAll(executor);
}

}  // namespace
}  // namespace gauntlet::promql
