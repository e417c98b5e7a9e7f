// Runner: runs a script against an engine and says which evals were as expected.
//
// Each instant eval is run again in other ways that must not matter: with `@` added to its selectors and at other
// times, and as the middle step of a range query.
//
// Upstream: prometheus promql/promqltest/test.go
// Threads:  a function.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "promql/engine/engine.h"
#include "promql/script/script.h"
#include "promql/script/script_storage.h"

namespace gauntlet::promql {

struct ScriptFailure {
  int line;
  std::string expr, what;
  std::vector<std::string> difference;  // "- " expected, "+ " found; of results only
  bool unsupported = false;             // the engine says that it cannot do this yet
};

struct ScriptReport {
  int passed = 0;  // evals
  std::vector<ScriptFailure> failures;
};

// The options with which upstream runs its own scripts.
EngineOptions ScriptEngineOptions();

// Only the `load` commands, into a storage.
Status LoadScript(std::string_view text, ScriptStorage* storage);

// kInvalid when the script itself is wrong.
Result<ScriptReport> RunScript(std::string_view text, Engine& engine);

}  // namespace gauntlet::promql
