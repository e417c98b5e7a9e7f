#include "model/go/math.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>

#include "base/float_limits.h"

// A fused multiply-add would change bits.
#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#endif

namespace gauntlet {
namespace {

constexpr double kLn2Hi = 6.93147180369123816490e-01, kLn2Lo = 1.90821492927058770002e-10;

// e^(high - low) * 2^k, by a rational approximation on |high - low| <= ln(2)/2.
double ExpOfRest(double high, double low, int k) {
  constexpr double kP1 = 1.66666666666666657415e-01, kP2 = -2.77777777770155933842e-03;
  constexpr double kP3 = 6.61375632143793436117e-05, kP4 = -1.65339022054652515390e-06;
  constexpr double kP5 = 4.13813679705723846039e-08;
  const double r = high - low, t = r * r;
  const double c = r - t * (kP1 + t * (kP2 + t * (kP3 + t * (kP4 + t * kP5))));
  return std::ldexp(1 - ((low - (r * c) / (2 - c)) - high), k);
}

}  // namespace

double GoLog(double x) {
  if (x == 0) return -kInfinity;
  if (std::isnan(x) || x == kInfinity) return x;
  if (x < 0) return std::numeric_limits<double>::quiet_NaN();
  constexpr double kL1 = 6.666666666666735130e-01, kL2 = 3.999999999940941908e-01, kL3 = 2.857142874366239149e-01;
  constexpr double kL4 = 2.222219843214978396e-01, kL5 = 1.818357216161805012e-01, kL6 = 1.531383769920937332e-01;
  constexpr double kL7 = 1.479819860511658591e-01;
  // x = fraction * 2^k, taken from the bits: a subnormal x comes out wrong, as in Go.
  const uint64_t bits = std::bit_cast<uint64_t>(x);
  double fraction = std::bit_cast<double>((bits & 0x000fffffffffffff) | std::bit_cast<uint64_t>(0.5));
  double k = static_cast<double>(static_cast<int>(bits >> 52 & 0x7ff) - 0x3fe);
  if (fraction <= std::numbers::sqrt2 / 2) {
    k -= 1;
    fraction *= 2;
  }
  const double f = fraction - 1, s = f / (2 + f), s2 = s * s, s4 = s2 * s2;
  const double t1 = s2 * (kL1 + s4 * (kL3 + s4 * (kL5 + s4 * kL7)));
  const double t2 = s4 * (kL2 + s4 * (kL4 + s4 * kL6));
  const double half_square = 0.5 * f * f;
  return k * kLn2Hi - ((half_square - (s * (half_square + (t1 + t2)) + k * kLn2Lo)) - f);
}

double GoLog2(double x) {
  int exponent = 0;
  const double fraction = std::frexp(x, &exponent);
  if (fraction == 0.5) return static_cast<double>(exponent - 1);
  if (!std::isfinite(x) || x <= 0) exponent = 0;
  return GoLog(fraction) * std::numbers::log2e + static_cast<double>(exponent);
}

double GoExp2(double x) {
  if (std::isnan(x)) return x;
  if (x > 1.0239999999999999e+03) return kInfinity;
  if (x < -1.0740e+03) return 0;
  int k = 0;
  if (x != 0) k = static_cast<int>(x > 0 ? x + 0.5 : x - 0.5);
  const double t = x - static_cast<double>(k);
  return ExpOfRest(t * kLn2Hi, -t * kLn2Lo, k);
}

}  // namespace gauntlet
