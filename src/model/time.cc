#include "model/time.h"

#include <array>
#include <cmath>

#include "model/float_text.h"
#include "model/labels.h"

namespace gauntlet {
namespace {

constexpr int64_t kSecondMs = 1000, kDayMs = 86'400'000, kSecondNs = 1'000'000'000;
constexpr std::string_view kMinTimeText = "-292273086-05-16T16:47:06Z";
constexpr std::string_view kMaxTimeText = "292277025-08-18T07:12:54.999999999Z";

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

Status Invalid(std::string_view before, std::string_view text, std::string_view after = "") {
  return Status(Code::kInvalid, std::string(before) + GoQuote(text) + std::string(after));
}

int64_t FloorDiv(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }
int64_t FloorMod(int64_t a, int64_t b) { return a % b + (a % b < 0 ? b : 0); }

// Days since the epoch of a date of the proleptic Gregorian calendar, and back. Years are counted from March, so that
// the leap day is the last of its year; 400 years are one era of 146,097 days.
int64_t DaysFromDate(int64_t year, int month, int day) {
  year -= month <= 2;
  int64_t era = FloorDiv(year, 400), year_of_era = year - era * 400;
  int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146'097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719'468;
}

struct Date {
  int64_t year;
  int month, day;
};

Date DateFromDays(int64_t days) {
  days += 719'468;
  int64_t era = FloorDiv(days, 146'097), day_of_era = days - era * 146'097;
  int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  int64_t month = (5 * day_of_year + 2) / 153;
  int day = static_cast<int>(day_of_year - (153 * month + 2) / 5 + 1);
  month += month < 10 ? 3 : -9;
  return {year_of_era + era * 400 + (month <= 2), static_cast<int>(month), day};
}

int DaysInMonth(int64_t year, int month) {
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return kDays[month - 1] + (month == 2 && leap);
}

void AppendPadded(std::string& out, int64_t v, size_t width) {
  std::string digits = std::to_string(v < 0 ? -v : v);
  if (v < 0) out += '-';
  if (digits.size() < width) out.append(width - digits.size(), '0');
  out += digits;
}

// `fraction_ns` of a second, as ".606", without trailing zeros; nothing when 0.
void AppendFraction(std::string& out, int64_t fraction_ns) {
  if (fraction_ns == 0) return;
  out += '.';
  AppendPadded(out, fraction_ns, 9);
  out.erase(out.find_last_not_of('0') + 1);
}

std::string FormatUtc(int64_t seconds, int64_t fraction_ns) {
  int64_t days = FloorDiv(seconds, 86'400), of_day = seconds - days * 86'400;
  Date date = DateFromDays(days);
  std::string out;
  AppendPadded(out, date.year, 4);
  out += '-';
  AppendPadded(out, date.month, 2);
  out += '-';
  AppendPadded(out, date.day, 2);
  out += 'T';
  AppendPadded(out, of_day / 3600, 2);
  out += ':';
  AppendPadded(out, of_day / 60 % 60, 2);
  out += ':';
  AppendPadded(out, of_day % 60, 2);
  AppendFraction(out, fraction_ns);
  out += 'Z';
  return out;
}

// Reads an RFC 3339 time from left to right.
class TimeReader {
 public:
  explicit TimeReader(std::string_view text) : rest_(text) {}

  bool Number(size_t digits_min, size_t digits_max, int* v) {
    size_t n = 0;
    *v = 0;
    while (n < digits_max && n < rest_.size() && IsDigit(rest_[n])) *v = *v * 10 + (rest_[n++] - '0');
    rest_.remove_prefix(n);
    return n >= digits_min;
  }
  bool Char(char c) {
    if (rest_.empty() || rest_[0] != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  // A fraction of a second, if there is one; digits beyond nanoseconds are cut.
  bool Fraction(int64_t* ns) {
    *ns = 0;
    if (!Char('.') && !Char(',')) return true;
    size_t n = 0;
    int64_t unit = kSecondNs;
    for (; n < rest_.size() && IsDigit(rest_[n]); ++n) {
      unit /= 10;
      *ns += (rest_[n] - '0') * unit;
    }
    rest_.remove_prefix(n);
    return n > 0;
  }
  // "Z" or "+02:00", which ends the text.
  bool Zone(int* offset_s) {
    *offset_s = 0;
    if (Char('Z')) return rest_.empty();
    bool east = Char('+');
    int hours, minutes;
    if ((!east && !Char('-')) || !Number(2, 2, &hours) || !Char(':') || !Number(2, 2, &minutes)) return false;
    if (hours > 24 || minutes > 60) return false;
    *offset_s = (hours * 3600 + minutes * 60) * (east ? 1 : -1);
    return rest_.empty();
  }

 private:
  std::string_view rest_;
};

struct Unit {
  std::string_view name;
  int64_t size;
};

// Milliseconds, largest first.
constexpr std::array<Unit, 7> kPromUnits = {
    {{"y", 365 * kDayMs}, {"w", 7 * kDayMs}, {"d", kDayMs}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1000}, {"ms", 1}}};
// Nanoseconds. Both the micro sign and the Greek letter.
constexpr std::array<Unit, 8> kGoUnits = {{{"ns", 1},
                                           {"us", 1000},
                                           {"\xc2\xb5s", 1000},
                                           {"\xce\xbcs", 1000},
                                           {"ms", 1'000'000},
                                           {"s", kSecondNs},
                                           {"m", 60 * kSecondNs},
                                           {"h", 3600 * kSecondNs}}};

template <size_t n>
size_t FindUnit(const std::array<Unit, n>& units, std::string_view name) {
  size_t i = 0;
  while (i < n && units[i].name != name) ++i;
  return i;
}

// The leading bytes of `*s` for which `accept` holds, taken off it.
template <typename Accept>
std::string_view TakeWhile(std::string_view* s, Accept accept) {
  size_t n = 0;
  while (n < s->size() && accept((*s)[n])) ++n;
  std::string_view taken = s->substr(0, n);
  s->remove_prefix(n);
  return taken;
}

// False when it does not fit into `max`.
bool AddDigits(std::string_view digits, uint64_t max, uint64_t* v) {
  for (char c : digits) {
    auto digit = static_cast<uint64_t>(c - '0');
    if (*v > (max - digit) / 10) return false;
    *v = *v * 10 + digit;
  }
  return true;
}

// ".5" of `unit`, as Go rounds it: digits that no longer fit into 63 bits are ignored.
uint64_t FractionOf(std::string_view digits, int64_t unit) {
  uint64_t value = 0;
  double scale = 1;
  for (char c : digits) {
    uint64_t next = value;
    if (!AddDigits(std::string_view(&c, 1), uint64_t{1} << 63, &next)) break;
    value = next;
    scale *= 10;
  }
  return static_cast<uint64_t>(static_cast<double>(value) * (static_cast<double>(unit) / scale));
}

}  // namespace

Result<int64_t> ParsePromDuration(std::string_view text) {
  if (text == "0") return 0;
  if (text.empty()) return Status(Code::kInvalid, "empty duration string");
  // Prometheus counts in int64 nanoseconds.
  constexpr uint64_t kMaxNs = std::numeric_limits<int64_t>::max();
  uint64_t total_ns = 0;
  size_t next_unit = 0;
  for (std::string_view rest = text; !rest.empty();) {
    std::string_view digits = TakeWhile(&rest, IsDigit);
    std::string_view name = TakeWhile(&rest, [](char c) { return !IsDigit(c); });
    uint64_t count = 0;
    if (digits.empty() || name.empty() || !AddDigits(digits, std::numeric_limits<uint64_t>::max(), &count)) {
      return Invalid("not a valid duration string: ", text);
    }
    size_t unit = FindUnit(kPromUnits, name);
    if (unit == kPromUnits.size()) return Invalid("unknown unit ", name, " in duration " + GoQuote(text));
    if (unit < next_unit) return Invalid("not a valid duration string: ", text);
    next_unit = unit + 1;
    uint64_t unit_ns = static_cast<uint64_t>(kPromUnits[unit].size) * 1'000'000;
    if (count > kMaxNs / unit_ns || (total_ns += count * unit_ns) > kMaxNs) {
      return Status(Code::kInvalid, "duration out of range");
    }
  }
  return static_cast<int64_t>(total_ns / 1'000'000);
}

std::string FormatPromDuration(int64_t ms) {
  if (ms == 0) return "0s";
  std::string out = ms < 0 ? "-" : "";
  uint64_t left = ms < 0 ? -static_cast<uint64_t>(ms) : static_cast<uint64_t>(ms);
  for (size_t i = 0; i < kPromUnits.size(); ++i) {
    auto size = static_cast<uint64_t>(kPromUnits[i].size);
    bool only_whole = i < 2;  // 90d is easier to read than 12w6d
    if (left < size || (only_whole && left % size != 0)) continue;
    out += std::to_string(left / size);
    out += kPromUnits[i].name;
    left %= size;
  }
  return out;
}

Result<int64_t> ParseGoDuration(std::string_view text) {
  constexpr uint64_t kMax = uint64_t{1} << 63;
  auto invalid = [&] { return Invalid("time: invalid duration ", text); };
  std::string_view rest = text;
  bool negative = false;
  if (!rest.empty() && (rest[0] == '-' || rest[0] == '+')) {
    negative = rest[0] == '-';
    rest.remove_prefix(1);
  }
  if (rest == "0") return 0;
  if (rest.empty()) return invalid();
  uint64_t total = 0;
  while (!rest.empty()) {
    std::string_view whole = TakeWhile(&rest, IsDigit), fraction;
    if (!rest.empty() && rest[0] == '.') {
      rest.remove_prefix(1);
      fraction = TakeWhile(&rest, IsDigit);
    }
    uint64_t count = 0;
    if ((whole.empty() && fraction.empty()) || !AddDigits(whole, kMax, &count)) return invalid();
    std::string_view name = TakeWhile(&rest, [](char c) { return c != '.' && !IsDigit(c); });
    if (name.empty()) return Invalid("time: missing unit in duration ", text);
    size_t unit = FindUnit(kGoUnits, name);
    if (unit == kGoUnits.size()) return Invalid("time: unknown unit ", name, " in duration " + GoQuote(text));
    auto size = static_cast<uint64_t>(kGoUnits[unit].size);
    if (count > kMax / size) return invalid();
    uint64_t part = count * size + FractionOf(fraction, kGoUnits[unit].size);
    if (part > kMax || (total += part) > kMax) return invalid();
  }
  if (negative) return static_cast<int64_t>(-total);
  if (total > kMax - 1) return invalid();
  return static_cast<int64_t>(total);
}

std::string FormatGoDuration(int64_t ns) {
  if (ns == 0) return "0s";
  std::string out = ns < 0 ? "-" : "";
  uint64_t left = ns < 0 ? -static_cast<uint64_t>(ns) : static_cast<uint64_t>(ns);
  auto append = [&out](uint64_t value, uint64_t unit, std::string_view name) {
    out += std::to_string(value / unit);
    // The remainder as a fraction of nine digits: its zeros at the end go.
    AppendFraction(out, static_cast<int64_t>(value % unit * (1'000'000'000 / unit)));
    out += name;
  };
  if (left < 1000) {
    append(left, 1, "ns");
  } else if (left < 1'000'000) {
    append(left, 1000, "\xc2\xb5s");
  } else if (left < 1'000'000'000) {
    append(left, 1'000'000, "ms");
  } else {
    uint64_t minutes = left / (60 * kSecondNs);
    if (minutes >= 60) out += std::to_string(minutes / 60) + "h";
    if (minutes >= 1) out += std::to_string(minutes % 60) + "m";
    append(left % (60 * kSecondNs), kSecondNs, "s");
  }
  return out;
}

namespace {

struct Instant {
  int64_t seconds, fraction_ns;
};

Result<Instant> ParseInstant(std::string_view text) {
  TimeReader in(text);
  int year, month, day, hour, minute, second, offset_s;
  int64_t fraction_ns;
  // Go takes an hour of one digit, and a comma before the fraction.
  if (!in.Number(4, 4, &year) || !in.Char('-') || !in.Number(2, 2, &month) || !in.Char('-') || !in.Number(2, 2, &day) ||
      !in.Char('T') || !in.Number(1, 2, &hour) || !in.Char(':') || !in.Number(2, 2, &minute) || !in.Char(':') ||
      !in.Number(2, 2, &second) || !in.Fraction(&fraction_ns) || !in.Zone(&offset_s)) {
    return Invalid("parsing time ", text, ": not an RFC 3339 time");
  }
  std::string_view wrong = month < 1 || month > 12                     ? "month"
                           : day < 1 || day > DaysInMonth(year, month) ? "day"
                           : hour > 23                                 ? "hour"
                           : minute > 59                               ? "minute"
                           : second > 59                               ? "second"
                                                                       : "";
  if (!wrong.empty()) return Invalid("parsing time ", text, ": " + std::string(wrong) + " out of range");
  int64_t seconds = DaysFromDate(year, month, day) * 86'400 + hour * 3600 + minute * 60 + second - offset_s;
  return Instant{seconds, fraction_ns};
}

}  // namespace

Result<int64_t> ParseRfc3339(std::string_view text) {
  GN_ASSIGN(Instant at, ParseInstant(text));
  return at.seconds * kSecondMs + at.fraction_ns / 1'000'000;
}

Result<int64_t> ParseRfc3339Ns(std::string_view text) {
  GN_ASSIGN(Instant at, ParseInstant(text));
  int64_t ns;
  if (__builtin_mul_overflow(at.seconds, kSecondNs, &ns) || __builtin_add_overflow(ns, at.fraction_ns, &ns)) {
    return Invalid("parsing time ", text, ": beyond what nanoseconds reach");
  }
  return ns;
}

std::string FormatRfc3339Ns(int64_t unix_ns) {
  return FormatUtc(FloorDiv(unix_ns, kSecondNs), FloorMod(unix_ns, kSecondNs));
}

std::string FormatRfc3339Ms(int64_t unix_ms) {
  return FormatUtc(FloorDiv(unix_ms, kSecondMs), FloorMod(unix_ms, kSecondMs) * 1'000'000);
}

Result<int64_t> ParseApiTime(std::string_view text) {
  if (auto seconds = ParseFloat(text); seconds.ok()) {
    if (std::isnan(*seconds)) return Invalid("cannot parse ", text, " to a valid timestamp");
    double whole;
    double fraction = std::round(std::modf(*seconds, &whole) * 1000);
    // Beyond the ends of time, at them.
    if (whole <= static_cast<double>(kApiMinTimeMs / 1000)) return kApiMinTimeMs;
    if (whole >= static_cast<double>(kApiMaxTimeMs / 1000)) return kApiMaxTimeMs;
    return static_cast<int64_t>(whole) * kSecondMs + static_cast<int64_t>(fraction);
  }
  if (auto ms = ParseRfc3339(text); ms.ok()) return ms;
  if (text == kMinTimeText) return kApiMinTimeMs;
  if (text == kMaxTimeText) return kApiMaxTimeMs;
  return Invalid("cannot parse ", text, " to a valid timestamp");
}

Result<int64_t> ParseApiDuration(std::string_view text) {
  if (auto seconds = ParseFloat(text); seconds.ok()) {
    double ns = *seconds * 1e9;
    if (!(ns <= 9223372036854775807.0 && ns >= -9223372036854775808.0)) {
      return Invalid("cannot parse ", text, " to a valid duration. It overflows int64");
    }
    return static_cast<int64_t>(ns / 1e6);
  }
  if (auto ms = ParsePromDuration(text); ms.ok()) return ms;
  return Invalid("cannot parse ", text, " to a valid duration");
}

Result<int64_t> ParseTimeOrDuration(std::string_view text, int64_t now_ms) {
  if (auto ms = ParseRfc3339(text); ms.ok()) return ms;
  bool negative = text.starts_with('-');
  GN_ASSIGN(int64_t ms, ParsePromDuration(negative ? text.substr(1) : text));
  return now_ms + (negative ? -ms : ms);
}

}  // namespace gauntlet
