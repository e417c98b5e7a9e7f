#include "model/go_math.h"

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

}  // namespace
}  // namespace gauntlet
