#include <cstdint>
#include <string>
#include <string_view>

#include "base/utf8.h"
#include "model/go/printable.h"
#include "model/labels.h"

namespace gauntlet {
namespace {

void AppendHex(std::string& out, char kind, uint32_t value, int digits) {
  out.push_back('\\');
  out.push_back(kind);
  for (int shift = (digits - 1) * 4; shift >= 0; shift -= 4) out.push_back("0123456789abcdef"[(value >> shift) & 15]);
}

// The letter that follows the backslash, or 0 when there is no short form.
char ShortEscape(char32_t rune) {
  switch (rune) {
    case '\a':
      return 'a';
    case '\b':
      return 'b';
    case '\f':
      return 'f';
    case '\n':
      return 'n';
    case '\r':
      return 'r';
    case '\t':
      return 't';
    case '\v':
      return 'v';
    case '"':
    case '\\':
      return static_cast<char>(rune);
    default:
      return 0;
  }
}

}  // namespace

std::string GoQuote(std::string_view s) {
  std::string out;
  out.reserve(s.size() + 2);
  out.push_back('"');
  while (!s.empty()) {
    Rune rune = DecodeRune(s);
    if (!rune.valid) {
      AppendHex(out, 'x', static_cast<uint8_t>(s[0]), 2);
    } else if (char letter = ShortEscape(rune.value)) {
      out.push_back('\\');
      out.push_back(letter);
    } else if (IsPrintable(rune.value)) {
      out.append(s.substr(0, rune.bytes));
    } else if (rune.value < 0x80) {
      AppendHex(out, 'x', rune.value, 2);
    } else if (rune.value < 0x10000) {
      AppendHex(out, 'u', rune.value, 4);
    } else {
      AppendHex(out, 'U', rune.value, 8);
    }
    s.remove_prefix(rune.bytes);
  }
  out.push_back('"');
  return out;
}

}  // namespace gauntlet
