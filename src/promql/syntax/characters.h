// Character classes of PromQL, on bytes: all are ASCII.

#pragma once

namespace gauntlet::promql {

inline bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
inline bool IsDigit(char c) { return c >= '0' && c <= '9'; }
inline bool IsAlpha(char c) { return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
inline bool IsAlphaNumeric(char c) { return IsAlpha(c) || IsDigit(c); }
// Of step, range, min_of and max_of, in any case.
inline bool StartsDurationKeyword(char c) {
  char lower = static_cast<char>(c | 0x20);
  return IsAlpha(c) && (lower == 's' || lower == 'r' || lower == 'm');
}

}  // namespace gauntlet::promql
