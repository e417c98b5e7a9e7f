// Regex: a fully anchored regular expression in Go's syntax, run without an engine where its shape allows.
//
// Literals, alternations, prefixes, suffixes and `.*x.*` are matched by comparing bytes; the rest is RE2's.
//
// Upstream: prometheus model/labels/regexp.go (FastRegexMatcher), Go regexp/syntax
// Threads:  immutable.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace re2 {
class RE2;
}

namespace gauntlet {

struct Glob;

class Regex {
 public:
  // kInvalid with Go's wording: "error parsing regexp: missing closing ): `a(`". Also for an expression too large for
  // a few tens of megabytes.
  static Result<std::shared_ptr<const Regex>> Make(std::string_view pattern);
  // One that can also tell what its groups matched.
  static Result<std::shared_ptr<const Regex>> MakeCapturing(std::string_view pattern);
  ~Regex();

  bool Matches(std::string_view text) const;
  // All texts that match, sorted; empty when they are not finitely many (or too many).
  const std::vector<std::string>& set_matches() const { return all_in_set_ ? set_ : kNone; }
  // What every matching text starts with; maybe nothing.
  const std::string& prefix() const { return prefix_; }
  bool uses_engine() const { return engine_only_; }

  // Go's FindStringSubmatch: the whole text, then one entry per group (without data for one that took no part); empty
  // when the text does not match. The views are of `text`. REQUIRES: made by MakeCapturing.
  std::vector<std::string_view> Captures(std::string_view text) const;
  // Names of the groups, "" for a plain one; index 0 is the whole match.
  const std::vector<std::string>& group_names() const { return group_names_; }

 private:
  static const std::vector<std::string> kNone;

  Regex();
  static Result<std::shared_ptr<const Regex>> Make(std::string_view pattern, bool capturing);
  void TakeGlobs(std::vector<Glob> globs);
  void IndexSet();
  bool SetHas(std::string_view text) const;

  std::vector<std::string> set_;  // sorted, unique
  std::vector<uint32_t> slots_;   // hash table over set_ (index + 1), when it is large
  uint64_t lengths_ = 0;          // bit min(length, 63) of each member of set_
  std::vector<Glob> globs_;       // alternatives with gaps
  bool all_in_set_ = false, matches_all_ = false, engine_only_ = false;
  std::string prefix_;
  std::vector<std::string> group_names_;
  std::unique_ptr<re2::RE2> engine_;  // null when never needed
};

// A pattern that matches `text` and nothing else. Go's regexp.QuoteMeta.
std::string QuoteRegex(std::string_view text);

}  // namespace gauntlet
