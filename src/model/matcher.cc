#include "model/matcher.h"

#include "model/regex/regex.h"

namespace gauntlet {

std::string_view MatchTypeText(MatchType type) {
  switch (type) {
    case MatchType::kEqual:
      return "=";
    case MatchType::kNotEqual:
      return "!=";
    case MatchType::kRegexp:
      return "=~";
    case MatchType::kNotRegexp:
      return "!~";
  }
  return "?";
}

Result<Matcher> Matcher::Make(MatchType type, std::string name, std::string value) {
  Matcher matcher;
  matcher.type_ = type;
  matcher.name_ = std::move(name);
  matcher.value_ = std::move(value);
  if (type == MatchType::kRegexp || type == MatchType::kNotRegexp) {
    GN_ASSIGN(matcher.regex_, Regex::Make(matcher.value_));
  }
  return matcher;
}

Matcher Matcher::Equal(std::string name, std::string value) {
  Matcher matcher;
  matcher.name_ = std::move(name);
  matcher.value_ = std::move(value);
  return matcher;
}

bool Matcher::Matches(std::string_view value) const {
  switch (type_) {
    case MatchType::kEqual:
      return value == value_;
    case MatchType::kNotEqual:
      return value != value_;
    case MatchType::kRegexp:
      return regex_->Matches(value);
    case MatchType::kNotRegexp:
      return !regex_->Matches(value);
  }
  return false;
}

const std::vector<std::string>& Matcher::set_matches() const {
  static const std::vector<std::string> kNone;
  return regex_ ? regex_->set_matches() : kNone;
}

std::string_view Matcher::prefix() const { return regex_ ? std::string_view(regex_->prefix()) : std::string_view(); }

std::string Matcher::ToString() const {
  std::string out = IsLegacyLabelName(name_) ? name_ : GoQuote(name_);
  out += MatchTypeText(type_);
  out += GoQuote(value_);
  return out;
}

bool MatchesAll(std::span<const Matcher> matchers, LabelsView labels) {
  for (const Matcher& matcher : matchers) {
    if (!matcher.Matches(labels.Get(matcher.name()))) return false;
  }
  return true;
}

std::string MatchersToString(std::span<const Matcher> matchers) {
  std::string out = "{";
  for (const Matcher& matcher : matchers) {
    if (out.size() > 1) out += ", ";
    out += matcher.ToString();
  }
  out += '}';
  return out;
}

}  // namespace gauntlet
