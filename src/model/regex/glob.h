// Globs: the part of the regular expression language that needs no engine. `a|b`, `foo-(bar|baz)`, `foo.*`,
// `.*x.*|.*y.+` and the like are finite unions of literals with gaps between them.
//
// Upstream: prometheus model/labels/regexp.go (findSetMatches, stringMatcherFromRegexp)
// Threads:  values.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gauntlet {

// literals[0] gap[0] literals[1] gap[1] ... : a gap is any text of at least so many runes. One literal more than gaps.
struct Glob {
  std::vector<std::string> literals;
  std::vector<uint32_t> gaps;

  bool is_literal() const { return gaps.empty(); }
  bool Matches(std::string_view text) const;
};

inline constexpr size_t kGlobsMax = 256;

// The expression as a union of globs, anchored at both ends and with `.` for any rune. Nothing when it is not one, is
// not valid, or would need more than kGlobsMax.
std::optional<std::vector<Glob>> ParseGlobs(std::string_view pattern);

}  // namespace gauntlet
