// Differences between Go's regular expression syntax and RE2's: what to rewrite, what to refuse, how errors are worded.
//
// Upstream: Go regexp/syntax
// Threads:  pure functions.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace gauntlet {

struct GoPattern {
  std::string re2;                       // with named groups made plain ones
  std::vector<std::string> group_names;  // [0] is the whole match
};

// Refuses what RE2 would accept and Go does not (`\C`), and accepts what Go does and RE2 does not (`(?<name>...)`, the
// same name twice).
Result<GoPattern> TranslateGoPattern(std::string_view pattern);

// "error parsing regexp: WHAT: `WHERE`".
Status RegexError(std::string_view what, std::string_view where);

}  // namespace gauntlet
