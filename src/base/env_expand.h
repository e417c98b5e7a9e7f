// References to the environment in configuration text: $(NAME).
//
// Upstream: thanos pkg/extkingpin, pkg/reloader

#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"

namespace gauntlet {

// Replaces every $(NAME), NAME of [A-Za-z0-9_]; other dollar signs stay. kInvalid for a variable that is not set.
Result<std::string> ExpandEnv(std::string_view text);
// The same with another source of values.
Result<std::string> ExpandEnv(std::string_view text,
                              const std::function<std::optional<std::string>(const std::string&)>& lookup);

}  // namespace gauntlet
