// Character classes of PromQL, on bytes: all are ASCII.
//
// Threads: pure functions.

#pragma once

#include <cstdint>

namespace gauntlet::promql {

inline bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
inline bool IsDigit(char c) { return c >= '0' && c <= '9'; }
inline bool IsAlpha(char c) { return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
inline bool IsAlphaNumeric(char c) { return IsAlpha(c) || IsDigit(c); }
// The value of a hexadecimal digit; 16 for anything else.
inline uint32_t DigitValue(int c) {
  if (c >= '0' && c <= '9') return static_cast<uint32_t>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<uint32_t>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<uint32_t>(c - 'A' + 10);
  return 16;
}
// Of step, range, min_of and max_of, in any case.
inline bool StartsDurationKeyword(char c) {
  char lower = static_cast<char>(c | 0x20);
  return IsAlpha(c) && (lower == 's' || lower == 'r' || lower == 'm');
}

}  // namespace gauntlet::promql
