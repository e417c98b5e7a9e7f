// Lower and upper case of Unicode text, rune by rune: Go's strings.ToLower and strings.ToUpper.
//
// Threads: pure functions.

#pragma once

#include <string>
#include <string_view>

namespace gauntlet {

char32_t LowerRune(char32_t rune);
char32_t UpperRune(char32_t rune);

// A broken byte becomes U+FFFD.
std::string LowerText(std::string_view s);
std::string UpperText(std::string_view s);

}  // namespace gauntlet
