// Content codings of HTTP: their negotiation, and the bodies of requests behind them.
//
// Threads: pure functions.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/status.h"

namespace gauntlet::net {

// What an Accept-Encoding header says about gzip ("gzip;q=0" refuses, "*" accepts).
bool AcceptsGzip(std::string_view accept_encoding);

// The body behind a Content-Encoding header: gzip, deflate (in zlib's frame, as the RFC says) or identity; kUnsupported
// for others. kExhausted when the result would be longer than `bytes_max`; kCorrupt for damaged bytes.
Result<std::string> DecodeContent(std::string_view coding, std::string_view bytes, size_t bytes_max);

}  // namespace gauntlet::net
