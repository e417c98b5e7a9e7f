#include "model/regex/syntax.h"

namespace gauntlet {
namespace {

constexpr int kGoDepthMax = 1000;  // Go's

bool IsWord(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

// End of a character class that starts at `at` ('['): after its ']', or the end of the pattern.
size_t SkipClass(std::string_view p, size_t at) {
  ++at;
  if (at < p.size() && p[at] == '^') ++at;
  if (at < p.size() && p[at] == ']') ++at;  // first, it is a member
  while (at < p.size() && p[at] != ']') {
    if (p.substr(at).starts_with("[:")) {
      size_t close = p.find(":]", at + 2);
      if (close != std::string_view::npos) {
        at = close + 2;
        continue;
      }
    }
    at += p[at] == '\\' && at + 1 < p.size() ? 2 : 1;
  }
  return at < p.size() ? at + 1 : at;
}

// Reads the name of a group whose name starts at `at`; `whole` starts at its parenthesis.
Result<std::string> GroupName(std::string_view whole, size_t name_at) {
  size_t close = whole.find('>', name_at);
  if (close == std::string_view::npos) return RegexError("invalid named capture", whole);
  std::string_view name = whole.substr(name_at, close - name_at);
  bool good = !name.empty();
  for (char c : name) good = good && IsWord(c);
  if (!good) return RegexError("invalid named capture", whole.substr(0, close + 1));
  return std::string(name);
}

}  // namespace

Status RegexError(std::string_view what, std::string_view where) {
  std::string text = "error parsing regexp: ";
  text.append(what).append(": `").append(where).append("`");
  return Status(Code::kInvalid, std::move(text));
}

Result<GoPattern> TranslateGoPattern(std::string_view p) {
  GoPattern out;
  out.group_names.emplace_back();
  size_t at = 0;
  int depth = 0;
  auto copy_to = [&](size_t end) {
    out.re2.append(p.substr(at, end - at));
    at = end;
  };
  while (at < p.size()) {
    std::string_view rest = p.substr(at);
    depth += p[at] == '(' ? 1 : p[at] == ')' ? -1 : 0;
    if (depth > kGoDepthMax) return RegexError("expression nests too deeply", p);
    if (rest.starts_with("\\Q")) {
      size_t close = p.find("\\E", at + 2);
      copy_to(close == std::string_view::npos ? p.size() : close + 2);
    } else if (rest.starts_with("\\C")) {
      return RegexError("invalid escape sequence", "\\C");
    } else if (p[at] == '\\') {
      copy_to(at + (rest.size() > 1 ? 2 : 1));
    } else if (p[at] == '[') {
      copy_to(SkipClass(p, at));
    } else if (rest.starts_with("(?P<") || rest.starts_with("(?<")) {
      size_t name_at = rest[2] == 'P' ? 4 : 3;
      GN_ASSIGN(std::string name, GroupName(rest, name_at));
      out.re2.push_back('(');
      at += name_at + name.size() + 1;
      out.group_names.push_back(std::move(name));
    } else {
      if (p[at] == '(' && !rest.starts_with("(?")) out.group_names.emplace_back();
      copy_to(at + 1);
    }
  }
  return out;
}

}  // namespace gauntlet
