// Quoted text in PromQL: Go's escapes in "..." and '...', none in `...`.
//
// Upstream: prometheus util/strutil/quote.go (Unquote); Go strconv.QuoteRune and fmt's %#U
// Threads:  pure functions.

#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace gauntlet::promql {

// What a literal with its quotes stands for; nothing when it is malformed.
std::optional<std::string> Unquote(std::string_view literal);

// 'x', as Go quotes a rune.
std::string QuoteRune(char32_t rune);
// U+0078 'x'; an unprintable rune without its picture.
std::string CodePointText(char32_t rune);

}  // namespace gauntlet::promql
