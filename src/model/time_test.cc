#include "model/time.h"

#include <gtest/gtest.h>

namespace gauntlet {
namespace {

constexpr int64_t kMin = std::numeric_limits<int64_t>::min(), kMax = std::numeric_limits<int64_t>::max();

TEST(PromDuration, ParsesDescendingUnits) {
  const std::pair<const char*, int64_t> cases[] = {{"0", 0},
                                                   {"0s", 0},
                                                   {"500ms", 500},
                                                   {"1h30m", 5'400'000},
                                                   {"1d", 86'400'000},
                                                   {"1w", 7 * 86'400'000ll},
                                                   {"1y", 365 * 86'400'000ll},
                                                   {"3d12h4m25s", 302'665'000},
                                                   {"1y1w1d1h1m1s1ms", 32'230'861'001},
                                                   {"292y", 292 * 365 * 86'400'000ll}};
  for (const auto& [text, ms] : cases) {
    auto got = ParsePromDuration(text);
    ASSERT_TRUE(got.ok()) << text << got.status().message();
    EXPECT_EQ(*got, ms) << text;
  }
}

TEST(PromDuration, RefusesTheRest) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "empty duration string"},
      {"1", "not a valid duration string: \"1\""},
      {"-1s", "not a valid duration string: \"-1s\""},
      {"1.5h", "unknown unit \".\" in duration \"1.5h\""},
      {"1m1m", "not a valid duration string: \"1m1m\""},
      {"1s1h", "not a valid duration string: \"1s1h\""},
      {"1x", "unknown unit \"x\" in duration \"1x\""},
      {"h", "not a valid duration string: \"h\""},
      {"294y", "duration out of range"},
      {"200y20000w", "duration out of range"},
      {"99999999999999999999s", "not a valid duration string: \"99999999999999999999s\""}};
  for (const auto& [text, why] : cases) EXPECT_EQ(ParsePromDuration(text).status().message(), why) << text;
}

TEST(PromDuration, FormatsYearsAndWeeksOnlyWhenWhole) {
  const std::pair<int64_t, const char*> cases[] = {{0, "0s"},
                                                   {1, "1ms"},
                                                   {5'400'000, "1h30m"},
                                                   {90 * 86'400'000ll, "90d"},
                                                   {14 * 86'400'000ll, "2w"},
                                                   {365 * 86'400'000ll, "1y"},
                                                   {366 * 86'400'000ll, "366d"},
                                                   {3'600'001, "1h1ms"},
                                                   {-60'000, "-1m"},
                                                   {kMin, "-106751991167d7h12m55s808ms"}};
  for (const auto& [ms, text] : cases) EXPECT_EQ(FormatPromDuration(ms), text);
}

// The expectations here and below are what Go 1.26 gives.
TEST(GoDuration, FormatsAsGo) {
  const std::pair<int64_t, const char*> cases[] = {{0, "0s"},
                                                   {1, "1ns"},
                                                   {999, "999ns"},
                                                   {1000, "1µs"},
                                                   {1500, "1.5µs"},
                                                   {1'000'000, "1ms"},
                                                   {1'500'000, "1.5ms"},
                                                   {1'000'000'000, "1s"},
                                                   {1'100'000'000, "1.1s"},
                                                   {61'000'000'000, "1m1s"},
                                                   {3'600'000'000'000, "1h0m0s"},
                                                   {5'400'000'000'000, "1h30m0s"},
                                                   {-1, "-1ns"},
                                                   {-1500, "-1.5µs"},
                                                   {kMin, "-2562047h47m16.854775808s"},
                                                   {kMax, "2562047h47m16.854775807s"}};
  for (const auto& [ns, text] : cases) {
    EXPECT_EQ(FormatGoDuration(ns), text);
    auto back = ParseGoDuration(text);
    ASSERT_TRUE(back.ok()) << text;
    EXPECT_EQ(*back, ns);
  }
}

TEST(GoDuration, ParsesAsGo) {
  const std::pair<const char*, int64_t> cases[] = {{"0", 0},
                                                   {"+0", 0},
                                                   {"-0", 0},
                                                   {"1.5h", 5'400'000'000'000},
                                                   {"-2m3.4s", -123'400'000'000},
                                                   {"100us", 100'000},
                                                   {"100µs", 100'000},
                                                   {"100μs", 100'000},
                                                   {".5s", 500'000'000},
                                                   {"5.s", 5'000'000'000},
                                                   {"0.3333333333333333333h", 1'200'000'000'000},
                                                   {"9007199254.740993ms", 9007199254740993},
                                                   {"+5s", 5'000'000'000}};
  for (const auto& [text, ns] : cases) {
    auto got = ParseGoDuration(text);
    ASSERT_TRUE(got.ok()) << text;
    EXPECT_EQ(*got, ns) << text;
  }
  const std::pair<const char*, const char*> bad[] = {
      {"", "time: invalid duration \"\""},
      {"1", "time: missing unit in duration \"1\""},
      {"1x", "time: unknown unit \"x\" in duration \"1x\""},
      {".s", "time: invalid duration \".s\""},
      {"9223372036854775808ns", "time: invalid duration \"9223372036854775808ns\""},
      {"1h-2m", "time: unknown unit \"h-\" in duration \"1h-2m\""},
      {"3000000h", "time: invalid duration \"3000000h\""},
      {"1 s", "time: unknown unit \" s\" in duration \"1 s\""},
      {"--5s", "time: invalid duration \"--5s\""},
      {"1d", "time: unknown unit \"d\" in duration \"1d\""}};
  for (const auto& [text, why] : bad) EXPECT_EQ(ParseGoDuration(text).status().message(), why) << text;
}

TEST(Rfc3339, ParsesToMilliseconds) {
  const std::pair<const char*, int64_t> cases[] = {{"2018-07-04T20:27:12.606Z", 1530736032606},
                                                   {"2018-07-04T20:27:12Z", 1530736032000},
                                                   {"2018-07-04T20:27:12.60602144+02:00", 1530728832606},
                                                   {"2018-07-04T20:27:12+24:00", 1530649632000},
                                                   {"2018-07-04T20:27:12,5Z", 1530736032500},
                                                   {"2018-07-04T2:27:12Z", 1530671232000},
                                                   {"0000-01-01T00:00:00Z", -62167219200000},
                                                   {"9999-12-31T23:59:59.9999999999Z", 253402300799999},
                                                   {"1969-12-31T23:59:59.9995Z", -1},
                                                   {"2020-02-29T00:00:00-01:30", 1582939800000}};
  for (const auto& [text, ms] : cases) {
    auto got = ParseRfc3339(text);
    ASSERT_TRUE(got.ok()) << text << got.status().message();
    EXPECT_EQ(*got, ms) << text;
  }
  for (const char* bad :
       {"", "2018-07-04t20:27:12z", "2018-07-04 20:27:12Z", "2018-02-29T00:00:00Z", "2100-02-29T00:00:00Z",
        "2018-07-04T24:00:00Z", "2018-07-04T23:59:60Z", "2018-07-04T20:27:12.Z", "2018-7-04T20:27:12Z",
        "-292273086-05-16T16:47:06Z", "2018-07-04T20:27:12", "2018-07-04", "2018-07-04T20:27:12Zx",
        "2018-00-04T20:27:12Z", "2018-13-04T20:27:12Z", "2018-07-00T20:27:12Z"}) {
    EXPECT_FALSE(ParseRfc3339(bad).ok()) << bad;
  }
}

TEST(Rfc3339, FormatsAsGo) {
  EXPECT_EQ(FormatRfc3339Ms(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(FormatRfc3339Ms(-1), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(FormatRfc3339Ms(1530736032606), "2018-07-04T20:27:12.606Z");
  EXPECT_EQ(FormatRfc3339Ms(kMax), "292278994-08-17T07:12:55.807Z");
  EXPECT_EQ(FormatRfc3339Ms(kMin), "-292275055-05-16T16:47:04.192Z");
  EXPECT_EQ(FormatRfc3339Ms(-62135596800001), "0000-12-31T23:59:59.999Z");
  EXPECT_EQ(FormatRfc3339Ns(1530736032606021440), "2018-07-04T20:27:12.60602144Z");
  EXPECT_EQ(FormatRfc3339Ns(-1), "1969-12-31T23:59:59.999999999Z");
}

TEST(Rfc3339, EveryDayOfFourCenturiesReadsBack) {
  for (int64_t day = -200'000; day < 200'000; ++day) {
    int64_t ms = day * 86'400'000 + 12'345'678;
    std::string text = FormatRfc3339Ms(ms);
    auto back = ParseRfc3339(text);
    ASSERT_TRUE(back.ok()) << text;
    ASSERT_EQ(*back, ms) << text;
  }
}

TEST(ApiTime, TakesSecondsRfc3339AndTheEndsOfTime) {
  EXPECT_EQ(*ParseApiTime("1435781451.781"), 1435781451781);
  EXPECT_EQ(*ParseApiTime("1435781451.7816"), 1435781451782);
  EXPECT_EQ(*ParseApiTime("-1.5"), -1500);
  EXPECT_EQ(*ParseApiTime("1e3"), 1'000'000);
  EXPECT_EQ(*ParseApiTime("2015-07-01T20:10:51.781Z"), 1435781451781);
  EXPECT_EQ(*ParseApiTime("-292273086-05-16T16:47:06Z"), kApiMinTimeMs);
  EXPECT_EQ(*ParseApiTime("292277025-08-18T07:12:54.999999999Z"), kApiMaxTimeMs);
  EXPECT_EQ(FormatRfc3339Ms(kApiMinTimeMs), "-292273086-05-16T16:47:06Z");
  EXPECT_EQ(FormatRfc3339Ms(kApiMaxTimeMs), "292277025-08-18T07:12:54.999Z");
  EXPECT_EQ(*ParseApiTime("1e300"), kApiMaxTimeMs);
  EXPECT_EQ(ParseApiTime("abc").status().message(), "cannot parse \"abc\" to a valid timestamp");
  EXPECT_FALSE(ParseApiTime("NaN").ok());
  EXPECT_FALSE(ParseApiTime("").ok());
}

TEST(ApiDuration, TakesSecondsOrAPromDuration) {
  EXPECT_EQ(*ParseApiDuration("15"), 15'000);
  EXPECT_EQ(*ParseApiDuration("0.5"), 500);
  EXPECT_EQ(*ParseApiDuration("1m30s"), 90'000);
  EXPECT_EQ(*ParseApiDuration("-1"), -1000);
  EXPECT_EQ(ParseApiDuration("x").status().message(), "cannot parse \"x\" to a valid duration");
  EXPECT_EQ(ParseApiDuration("1e20").status().message(),
            "cannot parse \"1e20\" to a valid duration. It overflows int64");
  EXPECT_FALSE(ParseApiDuration("NaN").ok());
}

TEST(TimeOrDuration, IsRelativeToNowUnlessAbsolute) {
  EXPECT_EQ(*ParseTimeOrDuration("-2d", 1'000'000'000), 1'000'000'000 - 2 * 86'400'000);
  EXPECT_EQ(*ParseTimeOrDuration("1h30m", 1000), 1000 + 5'400'000);
  EXPECT_EQ(*ParseTimeOrDuration("1970-01-01T00:00:01Z", 5), 1000);
  EXPECT_FALSE(ParseTimeOrDuration("", 0).ok());
  EXPECT_FALSE(ParseTimeOrDuration("-", 0).ok());
}

TEST(Time, NanosecondsKeepTheFractionAndRefuseWhatTheyCannotReach) {
  EXPECT_EQ(*ParseRfc3339Ns("2018-07-04T20:27:12.60602144+02:00"), 1530728832606021440);
  EXPECT_EQ(ParseRfc3339Ns("0001-01-01T00:00:00Z").status().code(), Code::kInvalid);
}

}  // namespace
}  // namespace gauntlet
