#include "base/float_digits.h"

#include <gtest/gtest.h>

#include <charconv>
#include <cmath>
#include <random>
#include <string>

namespace gauntlet {
namespace {

std::string Text(double v) {
  const FloatDigits found = FindDigits(v);
  char text[kDigitsTextMax];
  return found.digits != 0 ? std::string(text, WriteDigits(found, text)) : "";
}

std::string Expected(double v) {
  char text[64];
  return {text, std::to_chars(text, text + sizeof(text), v, std::chars_format::fixed).ptr};
}

TEST(FloatDigits, AreTheShortestOfEachExponent) {
  std::mt19937_64 rng(1);
  for (int exponent = -20; exponent < 53; ++exponent) {
    const double least = std::ldexp(1.0, exponent);
    for (int i = 0; i < 10'000; ++i) {
      const double v = least + static_cast<double>(rng() >> (12 + i % 50)) * least * 0x1p-52;
      ASSERT_EQ(Text(v), Expected(v));
    }
  }
}

TEST(FloatDigits, AreTheShortestBesidePowersOfTwoAndOfTen) {
  double two = 0x1p-20, ten = 1e-6;
  for (; two < 0x1p53; two *= 2) {
    ASSERT_EQ(Text(two), Expected(two));
    ASSERT_EQ(Text(std::nextafter(two, 1e300)), Expected(std::nextafter(two, 1e300)));
    ASSERT_EQ(Text(std::nextafter(2 * two, 0)), Expected(std::nextafter(2 * two, 0)));
  }
  for (int i = -6; i < 16; ++i, ten = std::pow(10, i)) {
    double v = ten;
    for (int n = 0; n < 5; ++n) v = std::nextafter(v, 0);
    for (int n = 0; n < 10; ++n, v = std::nextafter(v, 1e300)) ASSERT_EQ(Text(v), Expected(v));
  }
}

TEST(FloatDigits, AreTheShortestOfDecimals) {
  std::mt19937_64 rng(2);
  for (int i = 0; i < 1'000'000; ++i) {
    const double v = static_cast<double>(rng() % 100'000'000'000) / std::pow(10.0, static_cast<double>(rng() % 9));
    if (v >= 1e-6) ASSERT_EQ(Text(v), Expected(v));
  }
}

TEST(FloatDigits, OfTwoEquallyNearTheEvenOneIsTaken) {
  EXPECT_EQ(Text(1 + 0x1p-17), "1.0000076293945312");      // ...3125
  EXPECT_EQ(Text(1 + 3 * 0x1p-17), "1.0000228881835938");  // ...9375
}

TEST(FloatDigits, TheSignDoesNotMatterAndOtherFloatsHaveNone) {
  EXPECT_EQ(Text(-12.5), "12.5");
  for (double v : {0.0, -0.0, 0x1.fffffffffffffp-21, 0x1p53, 1e300, HUGE_VAL, -HUGE_VAL, std::nan("")}) {
    EXPECT_EQ(FindDigits(v).digits, 0u) << v;
  }
}

TEST(FloatDigits, ManyAreAsOneByOne) {
  std::mt19937_64 rng(3);
  double values[100];
  FloatDigits found[100];
  for (double& v : values) v = static_cast<double>(static_cast<int64_t>(rng()) >> (rng() % 60)) / 997;
  FindDigits(values, 100, found);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(found[i].digits, FindDigits(values[i]).digits);
    EXPECT_EQ(found[i].exponent, FindDigits(values[i]).exponent);
  }
}

TEST(SmallWholes, AreWrittenAsTheyAre) {
  std::mt19937_64 rng(4);
  for (int i = 0; i < 100'000; ++i) {
    const auto v =
        static_cast<double>(static_cast<int64_t>(rng() >> (rng() % 60 + 4)) % 100'000'000) * (i % 2 == 0 ? 1 : -1) +
        0.0;
    ASSERT_TRUE(AreSmallWholes(&v, 1));
    char text[16];
    ASSERT_EQ(std::string(text, WriteSmallWhole(v, text)), Expected(v));
  }
}

TEST(SmallWholes, OthersAreNone) {
  for (double v : {-0.0, 0.5, 1e8, -1e8, 1e300, HUGE_VAL, -HUGE_VAL, std::nan("")}) {
    for (size_t at = 0; at < 3; ++at) {
      double values[] = {1, 2, 3};
      EXPECT_TRUE(AreSmallWholes(values, 3));
      values[at] = v;
      EXPECT_FALSE(AreSmallWholes(values, 3));
    }
  }
}

}  // namespace
}  // namespace gauntlet
