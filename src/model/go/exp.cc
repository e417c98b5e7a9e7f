// Exponentials, powers and hyperbolic functions in Go's way: the argument of exp is cut by multiples of ln(2), a
// sixteenth of the rest goes through a Taylor series, and what comes out is squared four times, with fused
// multiplications (which Go uses on every machine that has them).

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <numbers>

#include "base/float_limits.h"
#include "model/go/math.h"

// A fused multiply-add where none is written would change bits.
#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#endif

namespace gauntlet {
namespace {

constexpr double kLn2 = 6.93147180559945286227e-01;
constexpr double kNear0 = 0x1p-28, kFar = 0x1p28;

bool IsOdd(double integer) {
  return integer == std::trunc(integer) && std::fabs(integer) < 0x1p53 && (static_cast<int64_t>(integer) & 1) == 1;
}

// The cases of pow in which one of the two is 0 or infinite.
double PowerOfExtremes(double x, double y) {
  if (x == 0) {
    if (y < 0) return IsOdd(y) ? std::copysign(kInfinity, x) : kInfinity;
    return IsOdd(y) ? x : 0;
  }
  if (std::isinf(y)) {
    if (x == -1) return 1;
    return (std::fabs(x) < 1) == (y > 0) ? 0 : kInfinity;
  }
  if (x < 0) return GoPow(1 / x, -y);
  return y < 0 ? 0 : kInfinity;
}

}  // namespace

double GoExp(double x) {
  if (std::isnan(x) || x == kInfinity) return x;
  if (x == -kInfinity) return 0;
  if (x > 7.09782712893384e+02) return kInfinity;
  if (x < -800) return 0;
  const int exponent = static_cast<int>(std::lrint(x * std::numbers::log2e));
  const double k = exponent;
  double r = std::fma(-0.69314718055966295651160180568695068359375, k, x);
  r = std::fma(-0.28235290563031577122588448175013436025525412068e-12, k, r);
  r *= 0.0625;
  static constexpr double kTaylor[] = {1.9841269841269841270e-4,
                                       1.3888888888888888889e-3,
                                       8.3333333333333333333e-3,
                                       4.1666666666666666667e-2,
                                       1.6666666666666666667e-1,
                                       0.5,
                                       1.0};
  double sum = 2.4801587301587301587e-5;
  for (double c : kTaylor) sum = std::fma(r, sum, c);
  r *= sum;
  for (int i = 0; i < 3; ++i) r *= r + 2;
  r = std::fma(r + 2, r, 1.0);
  if (exponent <= -1023) return 0;  // no subnormal results
  if (exponent >= 1024) return kInfinity;
  return r * std::bit_cast<double>(static_cast<uint64_t>(exponent + 1023) << 52);
}

double GoPow(double x, double y) {
  if (y == 0 || x == 1) return 1;
  if (std::isnan(x) || std::isnan(y)) return kNaN;
  if (x == 0 || std::isinf(x) || std::isinf(y)) return PowerOfExtremes(x, y);
  if (y == 0.5) return std::sqrt(x);
  if (y == -0.5) return 1 / std::sqrt(x);

  double whole = std::trunc(std::fabs(y)), part = std::fabs(y) - whole;
  if (part != 0 && x < 0) return kNaN;
  if (whole >= 0x1p63) {
    if (x == -1) return 1;
    return (std::fabs(x) < 1) == (y > 0) ? 0 : kInfinity;
  }
  double result = 1;
  int exponent = 0;  // the result is result * 2^exponent
  if (part != 0) {
    if (part > 0.5) {
      part -= 1;
      whole += 1;
    }
    result = GoExp(part * GoLog(x));
  }
  int power_exponent = 0;
  double power = std::frexp(x, &power_exponent);
  for (auto i = static_cast<int64_t>(whole); i != 0; i >>= 1) {
    if (power_exponent < -4096 || power_exponent > 4096) {  // over- or underflows for sure
      exponent += power_exponent;
      break;
    }
    if ((i & 1) == 1) {
      result *= power;
      exponent += power_exponent;
    }
    power *= power;
    power_exponent *= 2;
    if (power < 0.5) {
      power += power;
      --power_exponent;
    }
  }
  if (y < 0) {
    result = 1 / result;
    exponent = -exponent;
  }
  return std::ldexp(result, exponent);
}

double GoSinh(double x) {
  const double a = std::fabs(x);
  double result = 0;
  if (a > 21) {
    result = GoExp(a) / 2;
  } else if (a > 0.5) {
    result = (GoExp(a) - GoExp(-a)) / 2;
  } else {
    constexpr double kP0 = -0.6307673640497716991184787251e+6, kP1 = -0.8991272022039509355398013511e+5;
    constexpr double kP2 = -0.2894211355989563807284660366e+4, kP3 = -0.2630563213397497062819489e+2;
    constexpr double kQ0 = -0.6307673640497716991212077277e+6, kQ1 = 0.1521517378790019070696485176e+5;
    constexpr double kQ2 = -0.173678953558233699533450911e+3;
    const double square = a * a;
    result = (((kP3 * square + kP2) * square + kP1) * square + kP0) * a;
    result = result / (((square + kQ2) * square + kQ1) * square + kQ0);
  }
  return std::signbit(x) ? -result : result;
}

double GoCosh(double x) {
  const double a = std::fabs(x);
  return a > 21 ? GoExp(a) / 2 : (GoExp(a) + GoExp(-a)) / 2;
}

double GoTanh(double x) {
  const double a = std::fabs(x);
  if (a > 0.5 * 8.8029691931113054295988e+01) return x < 0 ? -1 : 1;
  if (a >= 0.625) {
    const double result = 1 - 2 / (GoExp(2 * a) + 1);
    return x < 0 ? -result : result;
  }
  if (x == 0) return x;
  const double s = x * x;
  const double p = (-9.64399179425052238628e-1 * s + -9.92877231001918586564e1) * s + -1.61468768441708447952e3;
  const double q = ((s + 1.12811678491632931402e2) * s + 2.23548839060100448583e3) * s + 4.84406305325125486048e3;
  return x + x * s * p / q;
}

double GoLog10(double x) { return GoLog(x) * std::numbers::log10e; }

double GoLog1p(double x) {
  if (x < -1 || std::isnan(x)) return kNaN;
  if (x == -1) return -kInfinity;
  if (x == kInfinity) return kInfinity;
  const double a = std::fabs(x);
  int k = 1;
  uint64_t mantissa = 0;
  double f = 0, correction = 0;
  if (a < 4.142135623730950488017e-01) {
    if (a < 0x1p-29) return a < 0x1p-54 ? x : x - x * x * 0.5;
    if (x > -2.928932188134524755992e-01) {
      k = 0;
      f = x;
      mantissa = 1;
    }
  }
  if (k != 0) {
    double u = a < 0x1p53 ? 1 + x : x;
    mantissa = std::bit_cast<uint64_t>(u);
    k = static_cast<int>(mantissa >> 52) - 1023;
    if (a < 0x1p53) correction = (k > 0 ? 1 - (u - x) : x - (u - 1)) / u;
    mantissa &= 0x000fffffffffffff;
    if (mantissa < 0x0006a09e667f3bcd) {  // of the square root of two
      u = std::bit_cast<double>(mantissa | 0x3ff0000000000000);
    } else {
      ++k;
      u = std::bit_cast<double>(mantissa | 0x3fe0000000000000);
      mantissa = (0x0010000000000000 - mantissa) >> 2;
    }
    f = u - 1;
  }
  constexpr double kLn2Hi = 6.93147180369123816490e-01, kLn2Lo = 1.90821492927058770002e-10;
  const double n = k, half_square = 0.5 * f * f;
  if (mantissa == 0) {
    if (f == 0) return k == 0 ? 0 : n * kLn2Hi + (correction + n * kLn2Lo);
    const double rest = half_square * (1 - 0.66666666666666666 * f);
    return k == 0 ? f - rest : n * kLn2Hi - ((rest - (n * kLn2Lo + correction)) - f);
  }
  const double s = f / (2 + f), z = s * s;
  static constexpr double kSeries[] = {1.531383769920937332e-01, 1.818357216161805012e-01, 2.222219843214978396e-01,
                                       2.857142874366239149e-01, 3.999999999940941908e-01, 6.666666666666735130e-01};
  double series = 1.479819860511658591e-01;
  for (double c : kSeries) series = c + z * series;
  const double r = z * series;
  if (k == 0) return f - (half_square - s * (half_square + r));
  return n * kLn2Hi - ((half_square - (s * (half_square + r) + (n * kLn2Lo + correction))) - f);
}

double GoAsinh(double x) {
  if (!std::isfinite(x)) return x;
  const double a = std::fabs(x);
  double result = a;
  if (a > kFar) {
    result = GoLog(a) + kLn2;
  } else if (a > 2) {
    result = GoLog(2 * a + 1 / (std::sqrt(a * a + 1) + a));
  } else if (a >= kNear0) {
    result = GoLog1p(a + a * a / (1 + std::sqrt(1 + a * a)));
  }
  return std::signbit(x) ? -result : result;
}

double GoAcosh(double x) {
  if (x < 1 || std::isnan(x)) return kNaN;
  if (x == 1) return 0;
  if (x >= kFar) return GoLog(x) + kLn2;
  if (x > 2) return GoLog(2 * x - 1 / (x + std::sqrt(x * x - 1)));
  const double t = x - 1;
  return GoLog1p(t + std::sqrt(2 * t + t * t));
}

double GoAtanh(double x) {
  if (x < -1 || x > 1 || std::isnan(x)) return kNaN;
  if (std::fabs(x) == 1) return std::copysign(kInfinity, x);
  const double a = std::fabs(x);
  double result = a;
  if (a >= 0.5) {
    result = 0.5 * GoLog1p((a + a) / (1 - a));
  } else if (a >= kNear0) {
    result = a + a;
    result = 0.5 * GoLog1p(result + result * a / (1 - a));
  }
  return std::signbit(x) ? -result : result;
}

}  // namespace gauntlet
