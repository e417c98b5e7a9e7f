// Which runes Go's strconv.Quote leaves as they are.
//
// Threads: a pure function.

#pragma once

#include <cstdint>

namespace gauntlet {

// Go's strconv.IsPrint: a letter, mark, number, punctuation or symbol, or the ASCII space.
bool IsPrintable(char32_t rune);

}  // namespace gauntlet
