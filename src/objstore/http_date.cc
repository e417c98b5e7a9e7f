#include "objstore/http_date.h"

#include <cstdio>
#include <ctime>

namespace gauntlet::objstore {
namespace {

constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

std::tm Utc(int64_t unix_ms) {
  auto seconds = static_cast<time_t>(unix_ms / 1000);
  std::tm tm{};
  gmtime_r(&seconds, &tm);
  return tm;
}

}  // namespace

std::optional<int64_t> ParseHttpDate(std::string_view text) {
  std::tm tm{};
  char month[4] = "", zone[4] = "";
  std::string copy(text);
  if (sscanf(copy.c_str(), "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d %3s", &tm.tm_mday, month, &tm.tm_year,
             &tm.tm_hour, &tm.tm_min, &tm.tm_sec, zone) != 7 ||
      std::string_view(zone) != "GMT") {
    return std::nullopt;
  }
  tm.tm_year -= 1900;
  tm.tm_mon = -1;
  for (int i = 0; i < 12; ++i) {
    if (std::string_view(month) == kMonths[i]) tm.tm_mon = i;
  }
  if (tm.tm_mon < 0) return std::nullopt;
  return static_cast<int64_t>(timegm(&tm)) * 1000;
}

std::string FormatHttpDate(int64_t unix_ms) {
  std::tm tm = Utc(unix_ms);
  char out[64];
  snprintf(out, sizeof out, "%s, %02d %s %04d %02d:%02d:%02d GMT", kDays[tm.tm_wday], tm.tm_mday, kMonths[tm.tm_mon],
           tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
  return out;
}

std::string FormatAmzDate(int64_t unix_ms) {
  std::tm tm = Utc(unix_ms);
  char out[64];
  snprintf(out, sizeof out, "%04d%02d%02dT%02d%02d%02dZ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
           tm.tm_min, tm.tm_sec);
  return out;
}

}  // namespace gauntlet::objstore
