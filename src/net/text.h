// Small texts of the protocols: tokens that compare without case, blanks, escapes of URLs and of markup.
//
// Threads: pure functions.

#pragma once

#include <string>
#include <string_view>

#include "base/status.h"

namespace gauntlet::net {

// True when two header names (or tokens such as "gzip") are the same but for ASCII case.
bool SameToken(std::string_view a, std::string_view b);
std::string LowerAscii(std::string_view text);
// Without the spaces and tabs at both ends.
std::string_view TrimBlanks(std::string_view text);

// 0 to 15, or -1 for what is no hexadecimal digit.
int HexDigit(char c);
std::string PercentEncode(std::string_view text);  // all but unreserved characters
Result<std::string> PercentDecode(std::string_view text, bool plus_is_space);

// As content of an element or within quotes of either kind, in XML and in HTML.
std::string EscapeMarkup(std::string_view text);

}  // namespace gauntlet::net
