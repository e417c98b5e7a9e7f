// The environment, and references to it in configuration text: $(NAME).
//
// Upstream: thanos pkg/extkingpin, pkg/reloader
// Threads:  functions; from any thread, as long as none sets the environment.

#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"

namespace gauntlet {

// Its value; empty when it is not set.
std::string EnvironmentVariable(const char* name);

// Replaces every $(NAME), NAME of [A-Za-z0-9_]; other dollar signs stay. kInvalid for a variable that is not set.
Result<std::string> ExpandEnv(std::string_view text);
// The same with another source of values.
Result<std::string> ExpandEnv(std::string_view text,
                              const std::function<std::optional<std::string>(const std::string&)>& lookup);

}  // namespace gauntlet
