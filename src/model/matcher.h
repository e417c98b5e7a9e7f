// Matcher: one condition on a label (=, !=, =~, !~), compiled once.
//
// Regular expressions are RE2's, fully anchored as ^(?s:...)$. Plain alternations, prefixes and `.*`/`.+` are
// recognised and never reach the engine.
//
// Upstream: prometheus model/labels/matcher.go, regexp.go
// Threads:  immutable; copies share the compiled expression.

#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "model/labels.h"

namespace gauntlet {

class Regex;

enum class MatchType : uint8_t { kEqual, kNotEqual, kRegexp, kNotRegexp };  // the order of prompb and storepb

class Matcher {
 public:
  // kInvalid "error parsing regexp: ..." with Go's wording for a bad expression.
  static Result<Matcher> Make(MatchType type, std::string name, std::string value);
  static Matcher Equal(std::string name, std::string value);

  MatchType type() const { return type_; }
  const std::string& name() const { return name_; }
  const std::string& value() const { return value_; }
  bool Matches(std::string_view value) const;
  bool MatchesEmpty() const { return Matches(std::string_view()); }
  // The values of an expression that is a finite alternation ("a|b|c"); empty when it is not.
  const std::vector<std::string>& set_matches() const;
  // Of a regexp type: what every text that its expression matches starts with; often nothing.
  std::string_view prefix() const;
  // PromQL's form: name="value", the name quoted when it is not a legacy one.
  std::string ToString() const;
  bool operator==(const Matcher& other) const {
    return type_ == other.type_ && name_ == other.name_ && value_ == other.value_;
  }

 private:
  Matcher() = default;
  MatchType type_ = MatchType::kEqual;
  std::string name_, value_;
  std::shared_ptr<const Regex> regex_;  // for the two regexp types
};

using Matchers = std::vector<Matcher>;

// Makes what Matcher::Make makes, or gives one that was made before.
using MatcherMaker = std::function<Result<Matcher>(MatchType type, const std::string& name, const std::string& value)>;

std::string_view MatchTypeText(MatchType type);  // "=", "!=", "=~", "!~"
bool MatchesAll(std::span<const Matcher> matchers, LabelsView labels);
// {__name__="up", job=~"a|b"}
std::string MatchersToString(std::span<const Matcher> matchers);

}  // namespace gauntlet
