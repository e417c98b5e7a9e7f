#include "model/regex/regex.h"

#include <re2/re2.h>

#include <algorithm>
#include <functional>

#include "base/check.h"
#include "base/utf8.h"
#include "model/regex/glob.h"
#include "model/regex/syntax.h"

namespace gauntlet {
namespace {

constexpr size_t kScanMax = 16;  // up to so many members of a set are compared one after the other
constexpr int64_t kProgramBytes = 8 << 20, kProgramBytesMax = 64 << 20;

// Go's words for RE2's codes. `pattern` is what the user wrote.
Status EngineError(const re2::RE2& engine, std::string_view pattern) {
  auto what = [&]() -> std::string_view {
    switch (engine.error_code()) {
      case re2::RE2::ErrorBadEscape:
        return "invalid escape sequence";
      case re2::RE2::ErrorBadCharClass:
        return "invalid character class";
      case re2::RE2::ErrorBadCharRange:
        return "invalid character class range";
      case re2::RE2::ErrorMissingBracket:
        return "missing closing ]";
      case re2::RE2::ErrorMissingParen:
        return "missing closing )";
      case re2::RE2::ErrorUnexpectedParen:
        return "unexpected )";
      case re2::RE2::ErrorTrailingBackslash:
        return "trailing backslash at end of expression";
      case re2::RE2::ErrorRepeatArgument:
        return "missing argument to repetition operator";
      case re2::RE2::ErrorRepeatSize:
        return "invalid repeat count";
      case re2::RE2::ErrorRepeatOp:
        return "invalid nested repetition operator";
      case re2::RE2::ErrorBadPerlOp:
        return "invalid or unsupported Perl syntax";
      case re2::RE2::ErrorBadUTF8:
        return "invalid UTF-8";
      case re2::RE2::ErrorBadNamedCapture:
        return "invalid named capture";
      case re2::RE2::ErrorPatternTooLarge:
        return "expression too large";
      default:
        return "internal error";
    }
  };
  bool whole = engine.error_code() == re2::RE2::ErrorPatternTooLarge ||
               engine.error_code() == re2::RE2::ErrorMissingParen ||
               engine.error_code() == re2::RE2::ErrorUnexpectedParen;
  return RegexError(what(), whole ? pattern : std::string_view(engine.error_arg()));
}

Result<std::unique_ptr<re2::RE2>> Compile(const std::string& translated, bool capturing, std::string_view pattern) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_dot_nl(true);
  options.set_never_capture(!capturing);
  options.set_max_mem(kProgramBytes);
  auto engine = std::make_unique<re2::RE2>(translated, options);
  if (engine->error_code() == re2::RE2::ErrorPatternTooLarge) {
    options.set_max_mem(kProgramBytesMax);
    engine = std::make_unique<re2::RE2>(translated, options);
  }
  if (!engine->ok()) return EngineError(*engine, pattern);
  return engine;
}

// Literals between bars and nothing else: `a|b|c`. Go's regexp.QuoteMeta leaves these as they are.
bool IsPlainAlternation(std::string_view pattern) {
  return pattern.find_first_of("\\.+*?()[]{}^$") == std::string_view::npos;
}

std::string CommonPrefix(const std::string& a, const std::string& b) {
  size_t n = static_cast<size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
  return a.substr(0, n);
}

uint64_t LengthBit(size_t bytes) { return uint64_t{1} << std::min<size_t>(bytes, 63); }

}  // namespace

const std::vector<std::string> Regex::kNone;

Regex::Regex() = default;
Regex::~Regex() = default;

Result<std::shared_ptr<const Regex>> Regex::Make(std::string_view pattern) { return Make(pattern, false); }
Result<std::shared_ptr<const Regex>> Regex::MakeCapturing(std::string_view pattern) { return Make(pattern, true); }

Result<std::shared_ptr<const Regex>> Regex::Make(std::string_view pattern, bool capturing) {
  std::shared_ptr<Regex> regex(new Regex());
  if (IsPlainAlternation(pattern)) {
    std::vector<Glob> globs;
    for (size_t at = 0; at <= pattern.size();) {
      size_t bar = std::min(pattern.find('|', at), pattern.size());
      globs.push_back(Glob{{std::string(pattern.substr(at, bar - at))}, {}});
      at = bar + 1;
    }
    regex->TakeGlobs(std::move(globs));
  } else if (auto globs = ParseGlobs(pattern)) {
    regex->TakeGlobs(*std::move(globs));
  } else {
    regex->engine_only_ = true;
  }
  if (regex->engine_only_ || capturing) {
    GN_ASSIGN(GoPattern go, TranslateGoPattern(pattern));
    GN_ASSIGN(regex->engine_, Compile(go.re2, capturing, pattern));
    regex->group_names_ = std::move(go.group_names);
  }
  return std::shared_ptr<const Regex>(std::move(regex));
}

void Regex::TakeGlobs(std::vector<Glob> globs) {
  prefix_ = globs[0].literals[0];
  for (Glob& glob : globs) {
    prefix_ = CommonPrefix(prefix_, glob.literals[0]);
    if (glob.is_literal()) {
      set_.push_back(std::move(glob.literals[0]));
    } else {
      matches_all_ = matches_all_ || (glob.gaps.size() == 1 && glob.gaps[0] == 0 && glob.literals[0].empty() &&
                                      glob.literals[1].empty());
      globs_.push_back(std::move(glob));
    }
  }
  all_in_set_ = globs_.empty();
  IndexSet();
}

void Regex::IndexSet() {
  std::sort(set_.begin(), set_.end());
  set_.erase(std::unique(set_.begin(), set_.end()), set_.end());
  for (const std::string& member : set_) lengths_ |= LengthBit(member.size());
  if (set_.size() <= kScanMax) return;
  size_t slots = 64;
  while (slots < set_.size() * 2) slots *= 2;
  slots_.resize(slots);
  for (uint32_t i = 0; i < set_.size(); ++i) {
    size_t slot = std::hash<std::string_view>()(set_[i]) & (slots - 1);
    while (slots_[slot] != 0) slot = (slot + 1) & (slots - 1);
    slots_[slot] = i + 1;
  }
}

bool Regex::SetHas(std::string_view text) const {
  if ((lengths_ & LengthBit(text.size())) == 0) return false;
  if (slots_.empty()) return std::find(set_.begin(), set_.end(), text) != set_.end();
  size_t mask = slots_.size() - 1;
  for (size_t slot = std::hash<std::string_view>()(text) & mask; slots_[slot] != 0; slot = (slot + 1) & mask) {
    if (set_[slots_[slot] - 1] == text) return true;
  }
  return false;
}

bool Regex::Matches(std::string_view text) const {
  if (matches_all_) return true;
  if (!engine_only_) {
    if (SetHas(text)) return true;
    for (const Glob& glob : globs_) {
      if (glob.Matches(text)) return true;
    }
    return false;
  }
  // To Go a broken byte is a U+FFFD; RE2 would refuse it everywhere.
  if (!ValidUtf8(text)) [[unlikely]] {
    std::string repaired = ReplaceInvalidUtf8(text);
    return engine_->Match(repaired, 0, repaired.size(), re2::RE2::ANCHOR_BOTH, nullptr, 0);
  }
  return engine_->Match({text.data(), text.size()}, 0, text.size(), re2::RE2::ANCHOR_BOTH, nullptr, 0);
}

std::vector<std::string_view> Regex::Captures(std::string_view text) const {
  GN_CHECK(engine_ != nullptr);
  std::vector<re2::StringPiece> groups(group_names_.size());
  if (!engine_->Match({text.data(), text.size()}, 0, text.size(), re2::RE2::ANCHOR_BOTH, groups.data(),
                      static_cast<int>(groups.size()))) {
    return {};
  }
  std::vector<std::string_view> out;
  out.reserve(groups.size());
  for (const auto& group : groups) out.emplace_back(group.data(), group.size());
  return out;
}

std::string QuoteRegex(std::string_view text) {
  std::string quoted;
  for (char c : text) {
    if (std::string_view("\\.+*?()|[]{}^$").find(c) != std::string_view::npos) quoted.push_back('\\');
    quoted.push_back(c);
  }
  return quoted;
}

}  // namespace gauntlet
