// The parts of a date, in UTC, for any float: conversion and calendar wrap around as Go's do.

#include <cmath>
#include <cstdint>

#include "promql/exec/functions/elementwise.h"

namespace gauntlet::promql {
namespace {

// Go's int64(v) on x86-64: what does not fit gives the smallest integer.
int64_t ToInt64(double v) {
  constexpr double kLimit = 9223372036854775808.0;
  return v >= -kLimit && v < kLimit ? static_cast<int64_t>(v) : INT64_MIN;
}

struct Date {
  int64_t year;
  int month, day, year_day, week_day, hour, minute;  // month, day, year_day from 1; Sunday is 0
};

// Years are counted from a 1 March so early that every int64 of seconds is later; the addition may wrap, as in Go.
Date ToDate(double seconds) {
  constexpr uint64_t kYears = 292277022400;  // whole 400-year cycles before year 0
  constexpr uint64_t kDaysOf400Years = 146097;
  constexpr uint64_t kDaysBefore1970 = kYears / 400 * kDaysOf400Years + 719468;
  const uint64_t absolute = static_cast<uint64_t>(ToInt64(seconds)) + kDaysBefore1970 * 86400;
  const uint64_t days = absolute / 86400, second = absolute % 86400;

  Date date;
  date.week_day = static_cast<int>((days + 3) % 7);  // the first day was a Wednesday
  date.hour = static_cast<int>(second / 3600);
  date.minute = static_cast<int>(second % 3600 / 60);
  const uint64_t cycle = days / kDaysOf400Years, day_of_cycle = days % kDaysOf400Years;
  const uint64_t year_of_cycle =
      (day_of_cycle - day_of_cycle / 1460 + day_of_cycle / 36524 - day_of_cycle / 146096) / 365;
  const uint64_t day_of_year = day_of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
  const uint64_t march_month = (5 * day_of_year + 2) / 153;  // 0 = March
  date.day = static_cast<int>(day_of_year - (153 * march_month + 2) / 5 + 1);
  date.month = static_cast<int>(march_month < 10 ? march_month + 3 : march_month - 9);
  date.year = static_cast<int64_t>(cycle * 400 + year_of_cycle - kYears) + (date.month <= 2);
  const bool leap = (date.year % 4 == 0 && date.year % 100 != 0) || date.year % 400 == 0;
  const int january_first = 306;  // as a day of the year from March
  date.year_day =
      date.month <= 2 ? static_cast<int>(day_of_year) - january_first + 1 : static_cast<int>(day_of_year) + 60 + leap;
  return date;
}

double DaysInMonth(double v) {
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  Date date = ToDate(v);
  bool leap = (date.year % 4 == 0 && date.year % 100 != 0) || date.year % 400 == 0;
  return date.month == 2 && leap ? 29 : kDays[date.month - 1];
}

}  // namespace

ValueFunction FindDateFunction(std::string_view name) {
  if (name == "minute") return [](double v) -> double { return ToDate(v).minute; };
  if (name == "hour") return [](double v) -> double { return ToDate(v).hour; };
  if (name == "day_of_week") return [](double v) -> double { return ToDate(v).week_day; };
  if (name == "day_of_month") return [](double v) -> double { return ToDate(v).day; };
  if (name == "day_of_year") return [](double v) -> double { return ToDate(v).year_day; };
  if (name == "days_in_month") return DaysInMonth;
  if (name == "month") return [](double v) -> double { return ToDate(v).month; };
  if (name == "year") return [](double v) -> double { return static_cast<double>(ToDate(v).year); };
  return nullptr;
}

}  // namespace gauntlet::promql
