// Times in HTTP headers: "Sun, 06 Nov 1994 08:49:37 GMT".
//
// Format:  RFC 9110, 5.6.7, IMF-fixdate      Threads: free functions.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gauntlet::objstore {

// Milliseconds since the Unix epoch; nullopt for another form.
std::optional<int64_t> ParseHttpDate(std::string_view text);
std::string FormatHttpDate(int64_t unix_ms);
// "20130524T000000Z": of AWS' signatures; its first 8 characters are the date.
std::string FormatAmzDate(int64_t unix_ms);

}  // namespace gauntlet::objstore
