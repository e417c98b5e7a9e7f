#include "model/go/math.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace gauntlet {
namespace {

TEST(GoMath, EdgesAreThoseOfGo) {
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(GoLog(0), -infinity);
  EXPECT_TRUE(std::isnan(GoLog(-1)));
  EXPECT_EQ(GoLog2(infinity), infinity);
  EXPECT_EQ(GoLog2(0), -infinity);
  EXPECT_EQ(GoLog2(0x1p-1074), -1074);
  EXPECT_EQ(GoLog2(1024), 10);
  EXPECT_EQ(GoExp2(0), 1);
  EXPECT_EQ(GoExp2(-0.0), 1);
  EXPECT_EQ(GoExp2(1024), infinity);
  EXPECT_EQ(GoExp2(-1075), 0);
  EXPECT_TRUE(std::isnan(GoExp2(std::nan(""))));
}

TEST(GoMath, ValuesAreThoseOfGo) {
  struct {
    double x, log, log2, exp2;
  } const cases[] = {
      {0x1.c013cf0410798p+02, 0x1.f2327c5c4584cp+00, 0x1.675f920b07358p+01, 0x1.0036f1bbffd94p+07},
      {0x1.718846d5d8ac3p-01, -0x1.4de9972ad15f4p-02, -0x1.e1bbdddfe2958p-02, 0x1.a630354e652b2p+00},
      {0x1.78p+05, 0x1.ecd1a2f90f0b6p+01, 0x1.637e623d2ba02p+02, 0x1p+47},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(GoLog(c.x), c.log);
    EXPECT_EQ(GoLog2(c.x), c.log2);
    EXPECT_EQ(GoExp2(c.x), c.exp2);
  }
}

// Six million results, hashed here as a Go program hashed its own.
TEST(GoMath, AgreesWithGoOnRandomValues) {
  uint64_t hash = 1469598103934665603u, state = 88172645463325252u;
  auto mix = [&](double v) {
    uint64_t bits = std::bit_cast<uint64_t>(v);
    for (int i = 0; i < 8; ++i, bits >>= 8) hash = (hash ^ (bits & 255)) * 1099511628211u;
  };
  for (int i = 0; i < 2'000'000; ++i) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    double x = std::bit_cast<double>((state & 0x800fffffffffffff) | (1023 - 12 + (state >> 54) % 24) << 52);
    mix(GoLog(std::fabs(x)));
    mix(GoLog2(std::fabs(x)));
    mix(GoExp2(x));
  }
  EXPECT_EQ(hash, 15994171104591217059u);
}

// As Prometheus 3.14 answered.
TEST(GoMath, ElementaryFunctionsAreThoseOfGo) {
  const double big = 9007199254740992, huge = -5.293306114411686e+23;
  EXPECT_EQ(GoExp(1), 2.718281828459045);
  EXPECT_EQ(GoExp(-1), 0.36787944117144233);
  EXPECT_EQ(GoLog10(big), 15.954589770191003);
  EXPECT_EQ(GoLog10(1e-308), -307.792490330654);  // wrong, but Go's
  EXPECT_EQ(GoSin(big), -0.8489259648146551);
  EXPECT_EQ(GoSin(huge), -0.9981452938583226);
  EXPECT_EQ(GoCos(huge), 0.060876697910471796);
  EXPECT_EQ(GoCos(65536), -0.7218347509126642);
  EXPECT_EQ(GoTan(1), 1.557407724654902);
  EXPECT_EQ(GoTan(huge), -16.396179952569753);
  EXPECT_EQ(GoAsin(-1), -1.5707963267948966);
  EXPECT_EQ(GoAcos(-1), 3.141592653589793);
  EXPECT_EQ(GoAtan(65536), 1.5707810680058352);
  EXPECT_EQ(GoSinh(1), 1.1752011936438014);
  EXPECT_EQ(GoCosh(1), 1.5430806348152437);
  EXPECT_EQ(GoTanh(-1), -0.7615941559557649);
  EXPECT_EQ(GoAsinh(huge), -55.31904734444699);
  EXPECT_EQ(GoAsinh(1), 0.881373587019543);
  EXPECT_EQ(GoAcosh(65536), 11.783502069460862);
  EXPECT_EQ(GoPow(3, 10), 59049);
  EXPECT_EQ(GoPow(huge, 2), huge * huge);
}

TEST(GoMath, ElementaryFunctionsAreNearTheLibrarys) {
  auto near = [](double a, double b) {
    if (std::isnan(a) || std::isnan(b)) return std::isnan(a) == std::isnan(b);
    return a == b || std::fabs(a - b) <= 4e-15 * std::max(1.0, std::fabs(b));
  };
  for (int i = -4000; i <= 4000; ++i) {
    const double x = i / 97.0 * (i % 7 == 0 ? 1e5 : 1);
    EXPECT_TRUE(near(GoSin(x), std::sin(x))) << x;
    EXPECT_TRUE(near(GoCos(x), std::cos(x))) << x;
    EXPECT_TRUE(near(GoAtan(x), std::atan(x))) << x;
    EXPECT_TRUE(near(GoAtan2(x, i % 13), std::atan2(x, i % 13))) << x;
    EXPECT_TRUE(near(GoTanh(x), std::tanh(x))) << x;
    EXPECT_TRUE(near(GoAsinh(x), std::asinh(x))) << x;
    EXPECT_TRUE(near(GoAcosh(x), std::acosh(x))) << x;
    const double unit = i / 4000.0;
    EXPECT_TRUE(near(GoAsin(unit), std::asin(unit))) << unit;
    EXPECT_TRUE(near(GoAcos(unit), std::acos(unit))) << unit;
    EXPECT_TRUE(near(GoAtanh(unit), std::atanh(unit))) << unit;
    EXPECT_TRUE(near(GoLog1p(unit), std::log1p(unit))) << unit;
    EXPECT_TRUE(near(GoExp(unit), std::exp(unit))) << unit;
    EXPECT_TRUE(near(GoSinh(unit), std::sinh(unit))) << unit;
    EXPECT_TRUE(near(GoPow(1 + unit, i % 31 / 4.0), std::pow(1 + unit, i % 31 / 4.0)) || unit > 0.2) << unit;
  }
  for (double x : {1e9, 1e15, 3e22, 1.5e100, 1e300}) {
    EXPECT_TRUE(near(GoSin(x), std::sin(x))) << x;
    EXPECT_TRUE(near(GoCos(-x), std::cos(x))) << x;
  }
}

TEST(GoMath, PowersOfExtremesAreThoseOfGo) {
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(GoPow(std::nan(""), 0), 1);
  EXPECT_EQ(GoPow(1, std::nan("")), 1);
  EXPECT_EQ(GoPow(-0.0, -3), -infinity);
  EXPECT_EQ(GoPow(-0.0, -2), infinity);
  EXPECT_TRUE(std::signbit(GoPow(-0.0, 3)));
  EXPECT_EQ(GoPow(-1, infinity), 1);
  EXPECT_EQ(GoPow(0.5, infinity), 0);
  EXPECT_EQ(GoPow(-infinity, 3), -infinity);
  EXPECT_EQ(GoPow(-infinity, -3), 0);
  EXPECT_TRUE(std::isnan(GoPow(-8, 1.0 / 3)));
  EXPECT_EQ(GoPow(2, 5000), infinity);
  EXPECT_EQ(GoPow(2, -1074), 0x1p-1074);
  EXPECT_EQ(GoPow(-1, 0x1p64), 1);
}

}  // namespace
}  // namespace gauntlet
