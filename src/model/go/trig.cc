// Circular functions in Go's way, after the Cephes library: the argument is cut by multiples of pi/4, in three parts,
// or beyond 2^29 by a multiplication with many digits of 4/pi (Payne and Hanek); polynomials do the rest.

#include <bit>
#include <cmath>
#include <cstdint>
#include <numbers>

#include "base/float_limits.h"
#include "model/go/math.h"

// A fused multiply-add would change bits.
#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#endif

namespace gauntlet {
namespace {

constexpr double kPi = std::numbers::pi;

// 4/pi as a sum of digits[i] * 2^(-64 i).
constexpr uint64_t kDigits[] = {0x0000000000000001, 0x45f306dc9c882a53, 0xf84eafa3ea69bb81, 0xb6c52b3278872083,
                                0xfca2c757bd778ac3, 0x6e48dc74849ba5c0, 0x0c925dd413a32439, 0xfc3bd63962534e7d,
                                0xd1046bea5d768909, 0xd338e04d68befc82, 0x7323ac7306a673e9, 0x3908bf177bf25076,
                                0x3ff12fffbc0b301f, 0xde5e2316b414da3e, 0xda6cfd9e4f96136e, 0x9e8c7ecd3cbfd45a,
                                0xea4f758fd7cbe2f6, 0x7a0e73ef14a525d4, 0xd7f6bf623f1aba10, 0xac06608df8f6d757};

// x = octant * pi/4 + rest; an even octant, modulo 8 (or not, for small arguments).
struct Reduced {
  uint64_t octant;
  double rest;
};

Reduced ReduceLarge(double x) {
  const uint64_t bits = std::bit_cast<uint64_t>(x);
  const int exponent = static_cast<int>(bits >> 52 & 0x7ff) - 1023 - 52;
  const uint64_t mantissa = (bits & 0x000fffffffffffff) | uint64_t{1} << 52;
  const uint32_t digit = static_cast<uint32_t>(exponent + 61) / 64, shift = static_cast<uint32_t>(exponent + 61) % 64;
  auto window = [&](uint32_t i) {
    return shift == 0 ? kDigits[digit + i] : kDigits[digit + i] << shift | kDigits[digit + i + 1] >> (64 - shift);
  };
  using Wide = unsigned __int128;
  const Wide low = static_cast<Wide>(window(1)) * mantissa + (static_cast<Wide>(window(2)) * mantissa >> 64);
  uint64_t hi = window(0) * mantissa + static_cast<uint64_t>(low >> 64);
  const uint64_t lo = static_cast<uint64_t>(low);
  uint64_t octant = hi >> 61;
  hi = hi << 3 | lo >> 61;
  const int zeros = std::countl_zero(hi);
  const auto fraction_exponent = static_cast<uint64_t>(1023 - (zeros + 1));
  auto left = [](uint64_t v, int n) { return n >= 64 ? 0 : v << n; };
  hi = left(hi, zeros + 1) | (zeros + 1 >= 64 ? lo : lo >> (64 - (zeros + 1)));
  double fraction = std::bit_cast<double>(hi >> 12 | fraction_exponent << 52);
  if ((octant & 1) == 1) {
    octant = (octant + 1) & 7;
    fraction -= 1;
  }
  return {octant, fraction * (kPi / 4)};
}

// REQUIRES: x is finite and not negative.
Reduced Reduce(double x) {
  if (x >= 0x1p29) return ReduceLarge(x);
  auto octant = static_cast<uint64_t>(x * (4 * std::numbers::inv_pi));
  auto y = static_cast<double>(octant);
  if ((octant & 1) == 1) {
    ++octant;
    y += 1;
  }
  const double rest =
      ((x - y * 7.85398125648498535156e-1) - y * 3.77489470793079817668e-8) - y * 2.69515142907905952645e-15;
  return {octant & 7, rest};
}

double SinePolynomial(double z) {
  const double zz = z * z;
  return z +
         z * zz *
             ((((((1.58962301576546568060e-10 * zz) + -2.50507477628578072866e-8) * zz + 2.75573136213857245213e-6) *
                    zz +
                -1.98412698295895385996e-4) *
                   zz +
               8.33333333332211858878e-3) *
                  zz +
              -1.66666666666666307295e-1);
}

double CosinePolynomial(double z) {
  const double zz = z * z;
  return 1.0 - 0.5 * zz +
         zz * zz *
             ((((((-1.13585365213876817300e-11 * zz) + 2.08757008419747316778e-9) * zz + -2.75573141792967388112e-7) *
                    zz +
                2.48015872888517045348e-5) *
                   zz +
               -1.38888888888730564116e-3) *
                  zz +
              4.16666666666665929218e-2);
}

// atan on [0, 0.66].
double SmallArcTangent(double x) {
  const double z = x * x;
  const double p =
      (((-8.750608600031904122785e-01 * z + -1.615753718733365076637e+01) * z + -7.500855792314704667340e+01) * z +
       -1.228866684490136173410e+02) *
          z +
      -6.485021904942025371773e+01;
  const double q =
      ((((z + 2.485846490142306297962e+01) * z + 1.650270098316988542046e+02) * z + 4.328810604912902668951e+02) * z +
       4.853903996359136964868e+02) *
          z +
      1.945506571482613964425e+02;
  return x * (z * p / q) + x;
}

// atan of what is not negative.
double ArcTangent(double x) {
  constexpr double kMore = 6.123233995736765886130e-17;  // of pi/2
  if (x <= 0.66) return SmallArcTangent(x);
  if (x > 2.41421356237309504880) return kPi / 2 - SmallArcTangent(1 / x) + kMore;
  return kPi / 4 + SmallArcTangent((x - 1) / (x + 1)) + 0.5 * kMore;
}

}  // namespace

double GoSin(double x) {
  if (x == 0 || std::isnan(x)) return x;
  if (std::isinf(x)) return kNaN;
  auto [octant, rest] = Reduce(std::fabs(x));
  const bool negative = std::signbit(x) != (octant > 3);
  octant &= 3;
  const double y = octant == 2 ? CosinePolynomial(rest) : SinePolynomial(rest);
  return negative ? -y : y;
}

double GoCos(double x) {
  if (!std::isfinite(x)) return kNaN;
  auto [octant, rest] = Reduce(std::fabs(x));
  bool negative = octant > 3;
  octant &= 3;
  if (octant > 1) negative = !negative;
  const double y = octant == 2 ? SinePolynomial(rest) : CosinePolynomial(rest);
  return negative ? -y : y;
}

double GoTan(double x) {
  if (x == 0 || std::isnan(x)) return x;
  if (std::isinf(x)) return kNaN;
  const auto [octant, z] = Reduce(std::fabs(x));
  const double zz = z * z;
  double y = z;
  if (zz > 1e-14) {
    const double p = ((-1.30936939181383777646e4 * zz) + 1.15351664838587416140e6) * zz + -1.79565251976484877988e7;
    const double q =
        (((zz + 1.36812963470692954678e4) * zz + -1.32089234440210967447e6) * zz + 2.50083801823357915839e7) * zz +
        -5.38695755929454629881e7;
    y = z + z * (zz * p / q);
  }
  if ((octant & 2) == 2) y = -1 / y;
  return x < 0 ? -y : y;
}

double GoAtan(double x) {
  if (x == 0) return x;
  return x > 0 ? ArcTangent(x) : -ArcTangent(-x);
}

double GoAsin(double x) {
  if (x == 0) return x;
  const double a = std::fabs(x);
  if (a > 1) return kNaN;
  double result = std::sqrt(1 - a * a);
  result = a > 0.7 ? kPi / 2 - ArcTangent(result / a) : ArcTangent(a / result);
  return x < 0 ? -result : result;
}

double GoAcos(double x) { return kPi / 2 - GoAsin(x); }

double GoAtan2(double y, double x) {
  if (std::isnan(y) || std::isnan(x)) return kNaN;
  if (y == 0) return std::copysign(x >= 0 && !std::signbit(x) ? 0 : kPi, y);
  if (x == 0) return std::copysign(kPi / 2, y);
  if (std::isinf(x)) {
    const bool both = std::isinf(y);
    if (x > 0) return std::copysign(both ? kPi / 4 : 0, y);
    return std::copysign(both ? 2.356194490192344928846982537459627163 : kPi, y);
  }
  if (std::isinf(y)) return std::copysign(kPi / 2, y);
  const double q = GoAtan(y / x);
  if (x < 0) return q <= 0 ? q + kPi : q - kPi;
  return q;
}

}  // namespace gauntlet
