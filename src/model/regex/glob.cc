// A recursive descent over the pattern, in which every construct is its finite union of globs: a concatenation is the
// cross product of its parts, an alternation their union. Whatever has no such form ends the attempt.

#include "model/regex/glob.h"

#include <cstring>
#include <utility>

#include "base/utf8.h"

namespace gauntlet {
namespace {

using Globs = std::vector<Glob>;

constexpr int kGlobDepthMax = 64;
constexpr size_t kGlobBytesMax = 1 << 20;  // literals of one product together

Glob Literal(std::string text) { return Glob{{std::move(text)}, {}}; }
Glob Gap(uint32_t runes) { return Glob{{"", ""}, {runes}}; }

void AppendGlob(Glob& glob, const Glob& tail) {
  size_t next = 0;
  bool gap_meets_gap =
      glob.literals.back().empty() && !glob.gaps.empty() && tail.literals[0].empty() && !tail.gaps.empty();
  if (gap_meets_gap) {
    glob.gaps.back() += tail.gaps[0];
    glob.literals.back() = tail.literals[1];
    next = 1;
  } else {
    glob.literals.back() += tail.literals[0];
  }
  for (; next < tail.gaps.size(); ++next) {
    glob.gaps.push_back(tail.gaps[next]);
    glob.literals.push_back(tail.literals[next + 1]);
  }
}

size_t LiteralBytes(const Globs& globs) {
  size_t n = 0;
  for (const Glob& glob : globs) {
    for (const std::string& literal : glob.literals) n += literal.size();
  }
  return n;
}

class Parser {
 public:
  explicit Parser(std::string_view pattern) : p_(pattern) {}

  std::optional<Globs> Parse() {
    Globs globs;
    if (!Alternation(0, &globs) || at_ != p_.size()) return std::nullopt;
    return globs;
  }

 private:
  bool AtEnd() const { return at_ == p_.size(); }
  bool Take(char c) {
    if (AtEnd() || p_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool TakeText(std::string_view text) {
    if (!p_.substr(at_).starts_with(text)) return false;
    at_ += text.size();
    return true;
  }

  bool Alternation(int depth, Globs* out) {
    if (depth > kGlobDepthMax) return false;
    do {
      Globs branch;
      if (!Branch(depth, &branch)) return false;
      for (Glob& glob : branch) out->push_back(std::move(glob));
      if (out->size() > kGlobsMax) return false;
    } while (Take('|'));
    return true;
  }

  // REQUIRES: *out is empty.
  bool Branch(int depth, Globs* out) {
    out->push_back(Literal(""));
    if (depth == 0) Take('^');
    while (!AtEnd() && p_[at_] != '|' && p_[at_] != ')') {
      if (depth == 0 && p_[at_] == '$' && (at_ + 1 == p_.size() || p_[at_ + 1] == '|')) {
        ++at_;
        return true;
      }
      Globs atom;
      if (!Atom(depth, &atom) || !Quantifier(&atom) || !Multiply(out, atom)) return false;
    }
    return true;
  }

  static bool Multiply(Globs* left, const Globs& right) {
    if (right.size() == 1) {
      for (Glob& glob : *left) AppendGlob(glob, right[0]);
      return true;
    }
    if (left->size() * right.size() > kGlobsMax) return false;
    Globs product;
    product.reserve(left->size() * right.size());
    for (const Glob& l : *left) {
      for (const Glob& r : right) AppendGlob(product.emplace_back(l), r);
    }
    *left = std::move(product);
    return LiteralBytes(*left) <= kGlobBytesMax;
  }

  bool Quantifier(Globs* atom) {
    if (Take('?')) {
      atom->push_back(Literal(""));
      Take('?');  // lazy or not, the whole text has to match
    }
    return AtEnd() || (p_[at_] != '*' && p_[at_] != '+' && p_[at_] != '?' && p_[at_] != '{');
  }

  bool Atom(int depth, Globs* out) {
    char c = p_[at_];
    switch (c) {
      case '(':
        return Group(depth, out);
      case '[':
        return Class(out);
      case '.':
        return AnyRunes(out);
      case '\\':
        return Escape(out);
      case '^':
      case '$':
      case '*':
      case '+':
      case '?':
      case '{':
        return false;
      default: {
        size_t bytes = DecodeRune(p_.substr(at_)).bytes;
        out->push_back(Literal(std::string(p_.substr(at_, bytes))));
        at_ += bytes;
        return true;
      }
    }
  }

  bool AnyRunes(Globs* out) {
    ++at_;
    if (!AtEnd() && p_[at_] == '*') {
      out->push_back(Gap(0));
    } else if (!AtEnd() && p_[at_] == '+') {
      out->push_back(Gap(1));
    } else {
      return false;
    }
    ++at_;
    Take('?');
    // `.*` may be followed by no further quantifier; `(.*)?` may, and comes as a group.
    return AtEnd() || p_[at_] != '?';
  }

  bool Group(int depth, Globs* out) {
    ++at_;
    if (!AtEnd() && p_[at_] == '?' && !TakeText("?:") && !TakeText("?s:")) return false;
    return Alternation(depth + 1, out) && Take(')');
  }

  static bool IsAlnum(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
  static bool IsPunctuation(char c) { return c > ' ' && c < 0x7f && !IsAlnum(c); }

  bool Escape(Globs* out) {
    if (at_ + 1 == p_.size() || !IsPunctuation(p_[at_ + 1])) return false;
    out->push_back(Literal(std::string(1, p_[at_ + 1])));
    at_ += 2;
    return true;
  }

  // Letters, digits, punctuation and ranges of letters or digits.
  bool ClassChar(char* c) {
    if (Take('\\') && (AtEnd() || !IsPunctuation(p_[at_]))) return false;
    if (AtEnd() || p_[at_] == '[' || static_cast<uint8_t>(p_[at_]) < ' ' || static_cast<uint8_t>(p_[at_]) > '~')
      return false;
    *c = p_[at_++];
    return true;
  }

  bool Class(Globs* out) {
    ++at_;
    if (AtEnd() || p_[at_] == '^' || p_[at_] == ']' || p_[at_] == '-') return false;
    while (!Take(']')) {
      char first, last;
      if (!ClassChar(&first)) return false;
      last = first;
      if (!AtEnd() && p_[at_] == '-') {
        ++at_;
        if (AtEnd() || p_[at_] == ']' || !ClassChar(&last) || !IsAlnum(first) || !IsAlnum(last)) return false;
      }
      if (first > last || AtEnd()) return false;
      for (int c = first; c <= last; ++c) out->push_back(Literal(std::string(1, static_cast<char>(c))));
      if (out->size() > kGlobsMax) return false;
    }
    return !out->empty();
  }

  std::string_view p_;
  size_t at_ = 0;
};

// Moves past `runes` runes; null when there are not so many before `end`.
const char* SkipRunes(const char* p, const char* end, uint32_t runes) {
  for (; runes > 0; --runes) {
    if (p == end) return nullptr;
    p += DecodeRune(std::string_view(p, static_cast<size_t>(end - p))).bytes;
  }
  return p;
}

}  // namespace

// Each middle literal is taken where it first occurs: that leaves the most text to those after it.
bool Glob::Matches(std::string_view text) const {
  const std::string& head = literals.front();
  if (gaps.empty()) return text == head;
  const std::string& tail = literals.back();
  if (text.size() < head.size() + tail.size() || !text.starts_with(head) || !text.ends_with(tail)) return false;
  const char* p = text.data() + head.size();
  const char* end = text.data() + text.size() - tail.size();
  for (size_t i = 0;; ++i) {
    p = SkipRunes(p, end, gaps[i]);
    if (p == nullptr) return false;
    if (i + 1 == gaps.size()) return true;
    const std::string& literal = literals[i + 1];
    const void* found = memmem(p, static_cast<size_t>(end - p), literal.data(), literal.size());
    if (found == nullptr) return false;
    p = static_cast<const char*>(found) + literal.size();
  }
}

std::optional<std::vector<Glob>> ParseGlobs(std::string_view pattern) {
  if (!ValidUtf8(pattern)) return std::nullopt;
  return Parser(pattern).Parse();
}

}  // namespace gauntlet
