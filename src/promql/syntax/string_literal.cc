#include "promql/syntax/string_literal.h"

#include <fmt/format.h>

#include "base/utf8.h"
#include "model/go/printable.h"
#include "model/labels.h"
#include "promql/syntax/characters.h"

namespace gauntlet::promql {
namespace {

// Takes `digits` digits of the base off `s`; nothing when there are fewer.
std::optional<uint32_t> TakeNumber(std::string_view& s, size_t digits, uint32_t base) {
  if (s.size() < digits) return std::nullopt;
  uint32_t value = 0;
  for (size_t i = 0; i < digits; i++) {
    uint32_t digit = DigitValue(s[i]);
    if (digit >= base) return std::nullopt;
    value = value * base + digit;
  }
  s.remove_prefix(digits);
  return value;
}

// The byte that a one-letter escape stands for, or 0.
char SimpleEscape(char c, char quote) {
  switch (c) {
    case 'a':
      return '\a';
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'v':
      return '\v';
    case '\\':
      return '\\';
    default:
      return c == quote ? quote : '\0';
  }
}

// Takes an escape, whose backslash is gone, off `s`.
bool AppendEscape(std::string& out, std::string_view& s, char quote) {
  if (s.empty()) return false;
  char c = s[0];
  if (c >= '0' && c <= '7') {
    std::optional<uint32_t> value = TakeNumber(s, 3, 8);
    if (!value || *value > 255) return false;
    out.push_back(static_cast<char>(*value));
    return true;
  }
  s.remove_prefix(1);
  if (c == 'x') {
    std::optional<uint32_t> value = TakeNumber(s, 2, 16);
    if (value) out.push_back(static_cast<char>(*value));
    return value.has_value();
  }
  if (c == 'u' || c == 'U') {
    std::optional<uint32_t> value = TakeNumber(s, c == 'u' ? 4 : 8, 16);
    if (!value || *value > 0x10ffff) return false;
    AppendRune(out, *value);
    return true;
  }
  char plain = SimpleEscape(c, quote);
  if (plain) out.push_back(plain);
  return plain != '\0';
}

}  // namespace

std::optional<std::string> Unquote(std::string_view literal) {
  if (literal.size() < 2 || literal.front() != literal.back()) return std::nullopt;
  char quote = literal.front();
  std::string_view s = literal.substr(1, literal.size() - 2);
  if (quote == '`') return s.find('`') == s.npos ? std::optional(std::string(s)) : std::nullopt;
  if ((quote != '"' && quote != '\'') || s.find('\n') != s.npos) return std::nullopt;
  std::string out;
  out.reserve(s.size());
  while (!s.empty()) {
    size_t plain = 0;
    while (plain < s.size() && s[plain] != '\\' && s[plain] != quote) plain++;
    out.append(s.substr(0, plain));
    s.remove_prefix(plain);
    if (s.empty()) break;
    if (s[0] == quote) return std::nullopt;
    s.remove_prefix(1);
    if (!AppendEscape(out, s, quote)) return std::nullopt;
  }
  return out;
}

std::string QuoteRune(char32_t rune) {
  if (rune == '\'') return "'\\''";
  if (rune == '"') return "'\"'";
  std::string text;
  AppendRune(text, rune);
  std::string quoted = GoQuote(text);
  quoted.front() = quoted.back() = '\'';
  return quoted;
}

std::string CodePointText(char32_t rune) {
  std::string text = fmt::format("U+{:04X}", static_cast<uint32_t>(rune));
  if (IsPrintable(rune)) {
    text += " '";
    AppendRune(text, rune);
    text += '\'';
  }
  return text;
}

}  // namespace gauntlet::promql
