#include "base/utf8.h"

#include <cstring>

namespace gauntlet {

Rune DecodeRune(std::string_view text) {
  const Rune broken{kReplacementRune, 1, false};
  auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  uint8_t first = byte(0);
  if (first < 0x80) return {first, 1, true};
  if (first < 0xc2 || first > 0xf4) return broken;
  uint32_t bytes = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (text.size() < bytes) return broken;
  char32_t rune = first & (0xff >> (bytes + 1));
  for (uint32_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return broken;
    rune = rune << 6 | (byte(i) & 0x3f);
  }
  bool overlong = (bytes == 3 && rune < 0x800) || (bytes == 4 && rune < 0x10000);
  if (overlong || rune > 0x10ffff || (rune >= 0xd800 && rune < 0xe000)) return broken;
  return {rune, bytes, true};
}

void AppendRune(std::string& out, char32_t rune) {
  if (rune > 0x10ffff || (rune >= 0xd800 && rune < 0xe000)) rune = kReplacementRune;
  auto tail = [&](int shift) { out.push_back(static_cast<char>(0x80 | ((rune >> shift) & 0x3f))); };
  if (rune < 0x80) {
    out.push_back(static_cast<char>(rune));
  } else if (rune < 0x800) {
    out.push_back(static_cast<char>(0xc0 | rune >> 6));
    tail(0);
  } else if (rune < 0x10000) {
    out.push_back(static_cast<char>(0xe0 | rune >> 12));
    tail(6);
    tail(0);
  } else {
    out.push_back(static_cast<char>(0xf0 | rune >> 18));
    tail(12);
    tail(6);
    tail(0);
  }
}

size_t AsciiPrefix(std::string_view text) {
  size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) {
    uint64_t word;
    std::memcpy(&word, text.data() + i, 8);
    if (word & 0x8080808080808080) break;
  }
  while (i < text.size() && static_cast<uint8_t>(text[i]) < 0x80) ++i;
  return i;
}

bool ValidUtf8(std::string_view text) {
  for (;;) {
    text.remove_prefix(AsciiPrefix(text));
    if (text.empty()) return true;
    Rune rune = DecodeRune(text);
    if (!rune.valid) return false;
    text.remove_prefix(rune.bytes);
  }
}

std::string ReplaceInvalidUtf8(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 8);
  while (!text.empty()) {
    Rune rune = DecodeRune(text);
    if (rune.valid) {
      out.append(text.substr(0, rune.bytes));
    } else {
      AppendRune(out, kReplacementRune);
    }
    text.remove_prefix(rune.bytes);
  }
  return out;
}

}  // namespace gauntlet
