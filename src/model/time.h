// Times and durations as Prometheus writes them. All times are int64 milliseconds since the Unix epoch.
//
// Upstream: prometheus/common model/time.go, web/api/v1 (parseTime, parseDuration)

#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "base/status.h"

namespace gauntlet {

// The bounds that Prometheus uses for "all time" in storage requests, and StoreAPI for "no bound".
inline constexpr int64_t kMinTimeMs = std::numeric_limits<int64_t>::min();
inline constexpr int64_t kMaxTimeMs = std::numeric_limits<int64_t>::max();

// The ends of time in the HTTP API: what "-292273086-05-16T16:47:06Z" and "292277025-08-18T07:12:54.999999999Z" mean,
// and the default range of /labels and /series.
inline constexpr int64_t kApiMinTimeMs = (kMinTimeMs / 1000 + 62135596801) * 1000;
inline constexpr int64_t kApiMaxTimeMs = (kMaxTimeMs / 1000 - 62135596801) * 1000 + 999;

// "1h30m", "500ms", "0"; strictly descending units, y=365d, w=7d. Milliseconds.
Result<int64_t> ParsePromDuration(std::string_view text);
// Prometheus' model.Duration text: 5400000 -> "1h30m", 0 -> "0s".
std::string FormatPromDuration(int64_t ms);
// Go's time.ParseDuration ("1.5h", "-2m3.4s", "100us"); nanoseconds.
Result<int64_t> ParseGoDuration(std::string_view text);
// Go's time.Duration.String: 5400000000000 -> "1h30m0s".
std::string FormatGoDuration(int64_t ns);

// RFC 3339 with optional fraction; milliseconds (rounded down).
Result<int64_t> ParseRfc3339(std::string_view text);
// The same in nanoseconds; kInvalid for times that they do not reach (before 1678, after 2262).
Result<int64_t> ParseRfc3339Ns(std::string_view text);
// "2018-07-04T20:27:12.606Z": UTC, fraction without trailing zeros, as Go's RFC3339Nano. Takes nanoseconds.
std::string FormatRfc3339Ns(int64_t unix_ns);
std::string FormatRfc3339Ms(int64_t unix_ms);

// An API's time parameter: float seconds, RFC 3339, or one of the two constants for the ends of time.
Result<int64_t> ParseApiTime(std::string_view text);
// An API's duration parameter: float seconds or a Prometheus duration; milliseconds.
Result<int64_t> ParseApiDuration(std::string_view text);
// Thanos' --min-time/--max-time: RFC 3339, or a duration relative to `now_ms` ("-2d", "1h30m").
Result<int64_t> ParseTimeOrDuration(std::string_view text, int64_t now_ms);

}  // namespace gauntlet
