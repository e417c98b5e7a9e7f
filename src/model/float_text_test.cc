#include "model/float_text.h"

#include <gtest/gtest.h>

#include <bit>
#include <charconv>
#include <cmath>
#include <limits>
#include <random>

namespace gauntlet {
namespace {

struct Case {
  double v;
  const char *f, *e, *g, *api;
};

const double kInf = std::numeric_limits<double>::infinity();

// The expectations are what Go 1.26 prints.
TEST(FloatText, WritesAsGoDoesInEachNotation) {
  const Case cases[] = {
      {0, "0", "0e+00", "0", "0"},
      {-0.0, "-0", "-0e+00", "-0", "-0"},
      {1, "1", "1e+00", "1", "1"},
      {-2.5, "-2.5", "-2.5e+00", "-2.5", "-2.5"},
      {100000, "100000", "1e+05", "100000", "100000"},
      {1e6, "1000000", "1e+06", "1e+06", "1000000"},
      {123456789, "123456789", "1.23456789e+08", "1.23456789e+08", "123456789"},
      {123456789012345678.0, "123456789012345680", "1.2345678901234568e+17", "1.2345678901234568e+17",
       "123456789012345680"},
      {1e20, "100000000000000000000", "1e+20", "1e+20", "100000000000000000000"},
      {1e21, "1000000000000000000000", "1e+21", "1e+21", "1e+21"},
      {1e23, "100000000000000000000000", "1e+23", "1e+23", "1e+23"},
      {0.1, "0.1", "1e-01", "0.1", "0.1"},
      {0.0001, "0.0001", "1e-04", "0.0001", "0.0001"},
      {0.00001, "0.00001", "1e-05", "1e-05", "0.00001"},
      {0.000123, "0.000123", "1.23e-04", "0.000123", "0.000123"},
      {1e-6, "0.000001", "1e-06", "1e-06", "0.000001"},
      {1.5e-7, "0.00000015", "1.5e-07", "1.5e-07", "1.5e-07"},
      {1e-10, "0.0000000001", "1e-10", "1e-10", "1e-10"},
      {kInf, "+Inf", "+Inf", "+Inf", "+Inf"},
      {-kInf, "-Inf", "-Inf", "-Inf", "-Inf"},
      {std::nan(""), "NaN", "NaN", "NaN", "NaN"},
      {1.7976931348623157e+308, nullptr, "1.7976931348623157e+308", "1.7976931348623157e+308",
       "1.7976931348623157e+308"},
      {5e-324, nullptr, "5e-324", "5e-324", "5e-324"},
      {9007199254740993.0, "9007199254740992", "9.007199254740992e+15", "9.007199254740992e+15", "9007199254740992"},
  };
  for (const Case& c : cases) {
    if (c.f) EXPECT_EQ(FormatFloatF(c.v), c.f);
    EXPECT_EQ(FormatFloatE(c.v), c.e);
    EXPECT_EQ(FormatFloatG(c.v), c.g);
    EXPECT_EQ(FormatFloatApi(c.v), c.api);
  }
}

// Below 2^53 the library's shortest fixed notation is Go's.
TEST(FloatText, FixedNotationIsThatOfTheLibrary) {
  std::mt19937_64 rng(3);
  for (int i = 0; i < 1'000'000; ++i) {
    double v = static_cast<double>(rng() >> 11) / static_cast<double>(uint64_t{1} << (rng() % 60));
    if (i % 4 == 1) v = static_cast<double>(rng() % 100'000'000'000) / std::pow(10.0, static_cast<double>(rng() % 9));
    if (i % 4 == 2) v = std::bit_cast<double>(rng() >> 12 | (rng() % 70 + 1005) << 52);
    if (i % 4 == 3) v = static_cast<double>(rng() >> (rng() % 53 + 11));
    if (i % 2 == 0) v = -v;
    if (!(std::fabs(v) >= 1e-6 && std::fabs(v) < 9007199254740992.0)) continue;
    char buffer[64];
    const std::string expected(buffer, std::to_chars(buffer, buffer + 64, v, std::chars_format::fixed).ptr);
    ASSERT_EQ(FormatFloatApi(v), expected);
    ASSERT_EQ(FormatFloatF(v), expected);
  }
}

TEST(FloatText, JsonNumbersHaveNoZeroInTheirExponent) {
  auto json = [](double v) {
    char buffer[kFloatTextMax];
    return std::string(buffer, WriteFloatJson(v, buffer));
  };
  EXPECT_EQ(json(1.5e-7), "1.5e-7");
  EXPECT_EQ(json(1e-10), "1e-10");
  EXPECT_EQ(json(1e21), "1e+21");
  EXPECT_EQ(json(-0.25), "-0.25");
}

TEST(FloatText, TheLongestFitTheBuffer) {
  EXPECT_LT(FormatFloatF(-5e-324).size(), kFloatTextMax);
  EXPECT_LT(FormatFloatF(-1.7976931348623157e+308).size(), kFloatTextMax);
  EXPECT_LT(FormatFloatF(-2.2250738585072011e-308).size(), kFloatTextMax);
}

TEST(FloatText, EveryNotationReadsBackTheSameBits) {
  std::mt19937_64 rng(1);
  for (int i = 0; i < 100'000; ++i) {
    uint64_t bits = rng();
    if (i % 3 == 0)
      bits = std::bit_cast<uint64_t>(static_cast<double>(static_cast<int64_t>(bits) >> (rng() % 60)) / 1000);
    auto v = std::bit_cast<double>(bits);
    if (!std::isfinite(v)) continue;
    for (const std::string& text : {FormatFloatF(v), FormatFloatE(v), FormatFloatG(v), FormatFloatApi(v)}) {
      auto back = ParseFloat(text);
      ASSERT_TRUE(back.ok()) << text;
      ASSERT_EQ(std::bit_cast<uint64_t>(*back), bits) << text;
    }
  }
}

TEST(FloatText, FixedNotationHasTheShortestDigitsToo) {
  auto digits = [](std::string text) {
    text = text.substr(0, text.find('e'));
    std::erase_if(text, [](char c) { return c == '.' || c == '-'; });
    text.erase(0, text.find_first_not_of('0'));
    text.erase(text.find_last_not_of('0') + 1);
    return text;
  };
  std::mt19937_64 rng(2);
  for (int i = 0; i < 200'000; ++i) {
    double v = static_cast<double>(static_cast<int64_t>(rng()) >> (rng() % 63)) / std::pow(10, rng() % 12);
    if (rng() % 4 == 0) v = std::nextafter(v, 0);
    if (rng() % 4 == 0) v = std::bit_cast<double>(rng());
    if (!std::isfinite(v)) continue;
    ASSERT_EQ(digits(FormatFloatF(v)), digits(FormatFloatE(v))) << FormatFloatE(v);
  }
}

TEST(FloatText, ParsesWhatGoParses) {
  const std::pair<const char*, double> cases[] = {
      {"1", 1},      {"+1", 1},        {"-1", -1},      {".5", 0.5},          {"5.", 5},      {"1E5", 1e5},
      {"0x1p4", 16}, {"0X1P4", 16},    {"-0x.8p1", -1}, {"inf", kInf},        {"+Inf", kInf}, {"-infinity", -kInf},
      {"1e-400", 0}, {"0x1p-2000", 0}, {"2e-324", 0},   {"4.9e-324", 5e-324}, {"1e+2", 100},  {"007", 7}};
  for (const auto& [text, want] : cases) {
    auto got = ParseFloat(text);
    ASSERT_TRUE(got.ok()) << text << ": " << got.status().message();
    EXPECT_EQ(*got, want) << text;
  }
  EXPECT_TRUE(std::isnan(*ParseFloat("NaN")));
  EXPECT_TRUE(std::signbit(*ParseFloat("-0")));
}

TEST(FloatText, RefusesTheRestWithGosWords) {
  for (const char* bad :
       {"",      "+",   "-",   ".",   "1e", "1e+",   "e5",     "0x",   "0x1.8",  "0x10", "1 ",    " 1",  "+nan",
        "infin", "+-1", "--1", "0b1", "1f", "1_000", "nan(1)", "0xp1", "0x-1p1", "abc",  "1.2.3", "\x00"}) {
    auto got = ParseFloat(bad);
    ASSERT_FALSE(got.ok()) << bad;
    EXPECT_EQ(got.status().code(), Code::kInvalid);
  }
  EXPECT_EQ(ParseFloat("1x").status().message(), "strconv.ParseFloat: parsing \"1x\": invalid syntax");
  EXPECT_EQ(ParseFloat("1e400").status().message(), "strconv.ParseFloat: parsing \"1e400\": value out of range");
  EXPECT_EQ(ParseFloat("-0x1p2000").status().message(),
            "strconv.ParseFloat: parsing \"-0x1p2000\": value out of range");
}

}  // namespace
}  // namespace gauntlet
