// UTF-8: decoding, encoding and validation, with Go's view of broken bytes (each is one U+FFFD).
//
// Threads: pure functions.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace gauntlet {

inline constexpr char32_t kReplacementRune = 0xfffd;

struct Rune {
  char32_t value;
  uint32_t bytes;  // 1..4; of a broken byte, 1
  bool valid;
};

// The first rune of non-empty `text`.
Rune DecodeRune(std::string_view text);
// REQUIRES: a Unicode scalar value; others become U+FFFD.
void AppendRune(std::string& out, char32_t rune);
// True also for the empty string.
bool ValidUtf8(std::string_view text);
// A copy with each broken byte replaced by U+FFFD.
std::string ReplaceInvalidUtf8(std::string_view text);
// Length of the longest prefix without a byte >= 0x80.
size_t AsciiPrefix(std::string_view text);

}  // namespace gauntlet
