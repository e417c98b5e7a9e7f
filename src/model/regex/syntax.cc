#include "model/regex/syntax.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace gauntlet {
namespace {

constexpr int kGoDepthMax = 1000;  // Go's
// RE2 takes a time that grows by the square of a chain of parts that may be empty, and 40 kB for each \p{L}: beyond
// these it would be at work for seconds.
constexpr uint64_t kEmptyChainMax = 20'000;
constexpr size_t kUnicodeClassesMax = 2000;

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

size_t CountUnicodeClasses(std::string_view p) {
  size_t count = 0;
  for (size_t at = p.find('\\'); at != std::string_view::npos && at + 1 < p.size(); at = p.find('\\', at + 2)) {
    count += p[at + 1] == 'p' || p[at + 1] == 'P';
  }
  return count;
}

// What follows an atom: whether it may be left out, and how often it may come ({n,m}; for * and + that does not
// matter).
struct Quantifier {
  bool optional = false;
  uint64_t times = 1;
  size_t braces_bytes = 0;  // of {n,m}
};
Quantifier QuantifierAt(std::string_view rest) {
  if (rest.starts_with('?') || rest.starts_with('*')) return {true, 1, 0};
  if (!rest.starts_with('{')) return {};
  uint64_t least = 0, most = 0;
  size_t at = 1;
  auto number = [&](uint64_t* n) {
    for (; at < rest.size() && rest[at] >= '0' && rest[at] <= '9'; ++at) {
      *n = std::min<uint64_t>(*n * 10 + static_cast<uint64_t>(rest[at] - '0'), 1000);
    }
  };
  number(&least);
  if (at < rest.size() && rest[at] == ',') {
    ++at;
    number(&most);
  }
  if (at == rest.size() || rest[at] != '}') return {};
  return {least == 0, std::max<uint64_t>({least, most, 1}), at + 1};
}

// How long chains of parts that may be empty are, of a pattern read token by token: x?y?(z*){9} has 11.
class EmptyChains {
 public:
  void Open() { open_.push_back(std::exchange(run_, 0)); }
  void Close(const Quantifier& q) {
    if (open_.empty()) return;
    Add(run_ * (q.times - 1) + (q.optional ? q.times : 0));
    Add(open_.back());
    open_.pop_back();
  }
  void Atom(const Quantifier& q) {
    run_ = q.optional ? run_ : 0;
    Add(q.optional ? q.times : 0);
  }
  void Bar() { run_ = 0; }
  uint64_t longest() const { return longest_; }

 private:
  void Add(uint64_t more) {
    run_ += more;
    longest_ = std::max(longest_, run_);
  }
  std::vector<uint64_t> open_;
  uint64_t run_ = 0, longest_ = 0;
};

}  // namespace

Status RegexError(std::string_view what, std::string_view where) {
  std::string text = "error parsing regexp: ";
  text.append(what).append(": `").append(where).append("`");
  return Status(Code::kInvalid, std::move(text));
}

Result<GoPattern> TranslateGoPattern(std::string_view p) {
  if (CountUnicodeClasses(p) > kUnicodeClassesMax) return RegexError("expression too large", p);
  GoPattern out;
  out.group_names.emplace_back();
  size_t at = 0;
  int depth = 0;
  EmptyChains chains;
  auto copy_to = [&](size_t end) {
    out.re2.append(p.substr(at, end - at));
    at = end;
  };
  while (at < p.size()) {
    std::string_view rest = p.substr(at);
    depth += p[at] == '(' ? 1 : p[at] == ')' ? -1 : 0;
    const char token = p[at];
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
    const Quantifier next = QuantifierAt(p.substr(at));
    if (token == '(') {
      chains.Open();
    } else if (token == ')') {
      chains.Close(next);
    } else if (token == '|') {
      chains.Bar();
    } else if (std::string_view("?*+{").find(token) == std::string_view::npos) {
      chains.Atom(next);
    }
    copy_to(at + next.braces_bytes);
    if (chains.longest() > kEmptyChainMax) return RegexError("expression too large", p);
  }
  return out;
}

}  // namespace gauntlet
