#include "promql/exec/functions/elementwise.h"

#include <gtest/gtest.h>

#include <limits>

namespace gauntlet::promql {
namespace {

constexpr double kInfinite = std::numeric_limits<double>::infinity();
constexpr double kNotANumber = std::numeric_limits<double>::quiet_NaN();

TEST(Dates, PartsOfADate) {
  auto part = [](const char* name, double seconds) { return FindDateFunction(name)(seconds); };
  constexpr double kLeapDay = 1709208000;  // 2024-02-29T12:00:00Z, a Thursday
  EXPECT_EQ(part("year", kLeapDay), 2024);
  EXPECT_EQ(part("month", kLeapDay), 2);
  EXPECT_EQ(part("day_of_month", kLeapDay), 29);
  EXPECT_EQ(part("day_of_year", kLeapDay), 60);
  EXPECT_EQ(part("day_of_week", kLeapDay), 4);
  EXPECT_EQ(part("days_in_month", kLeapDay), 29);
  EXPECT_EQ(part("hour", kLeapDay), 12);
  EXPECT_EQ(part("minute", kLeapDay + 61), 1);
  EXPECT_EQ(part("day_of_year", kLeapDay + 86400), 61);
  EXPECT_EQ(part("day_of_year", 1735646400), 366);  // 2024-12-31
  EXPECT_EQ(part("year", -1), 1969);
  EXPECT_EQ(part("day_of_month", -86400 * 400.0), 27);
  // What no int64 holds is what Go makes of it.
  EXPECT_EQ(part("year", kNotANumber), part("year", kInfinite));
  EXPECT_EQ(FindDateFunction("century"), nullptr);
}

}  // namespace
}  // namespace gauntlet::promql
