// The way of Schubfach (R. Giulietti, "The Schubfach way to render doubles"), which for these floats needs neither a
// large table nor care for errors: let v = c * 2^q with 53 bits in c, and n such that one unit in v's last place is
// from 1 to 10 units of 10^-n. Then n is at most 22, 10^n without its factors of two fits 64 bits, and v * 10^n comes
// exactly from one multiplication, as a whole number and 64 bits of a fraction.
//
// Decimals that read back as v are those within half a unit in its last place. So among multiples of 10^-n there is at
// least one, and of 10^(1-n) at most one, which is then the shorter. The borders themselves are never such multiples:
// their last binary place is beyond that of any. At powers of two, where the lower border is nearer, v has few digits
// and is itself the shortest.

#include "base/float_digits.h"

#include <array>
#include <cmath>

namespace gauntlet {
namespace {

constexpr int kFractionBits = 52, kBias = 1023, kMoved = 63 - kFractionBits;
constexpr int kExponentMin = -20, kExponents = 53 - kExponentMin;
__extension__ using Wide = unsigned __int128;

// For the floats from 2^e to 2^(e+1).
struct Scale {
  uint64_t ten;   // 10^n, moved so that its product with c << 11 has v * 10^n in its higher 64 bits
  uint64_t half;  // half of v's last place times 10^n, in units of 2^-60
  int32_t n;
};

constexpr std::array<Scale, kExponents> MakeScales() {
  std::array<Scale, kExponents> scales{};
  for (int i = 0; i < kExponents; ++i) {
    const int q = kExponentMin + i - kFractionBits;
    int n = 0, bits = 1;
    Wide ten = 1;
    // Until 2^q * 10^n is 1 or more.
    while (q + bits - 1 < 0) {
      ten *= 10;
      ++n;
      while (ten >> bits != 0) ++bits;
    }
    const int shift = q + bits;
    const auto high = static_cast<uint64_t>(ten << (128 - bits) >> 64);
    scales[static_cast<size_t>(i)] = {high >> (kMoved - shift), high >> (5 - shift), n};
  }
  return scales;
}
constexpr std::array<Scale, kExponents> kScales = MakeScales();

inline FloatDigits Find(double v) {
  const uint64_t bits = std::bit_cast<uint64_t>(v) & ~(uint64_t{1} << 63);
  const uint64_t from_least = bits - (uint64_t{kBias + kExponentMin} << kFractionBits);
  if (from_least >= uint64_t{kExponents} << kFractionBits) [[unlikely]]
    return {0, 0};
  const Scale& scale = kScales[from_least >> kFractionBits];
  const uint64_t c = bits << kMoved | uint64_t{1} << 63;
  const Wide product = Wide{c} * scale.ten;
  const auto whole = static_cast<uint64_t>(product >> 64), fraction = static_cast<uint64_t>(product);
  const uint64_t tens = whole / 10;
  // From the multiples of ten below and above, in units of 2^-60.
  const uint64_t below = (c >> 4) * scale.ten - (10 * tens << 60);
  const uint64_t above = (uint64_t{10} << 60) - below;
  const bool down = below < scale.half, up = above < scale.half;
  const uint64_t shorter = 10 * (tens + up);
  const uint64_t nearest = whole + (fraction > (uint64_t{1} << 63) - (whole & 1));  // the even one of two
  const bool shorten = down | up;                                                   // without a branch
  return {shorten ? shorter : nearest, -scale.n};
}

}  // namespace

FloatDigits FindDigits(double v) { return Find(v); }

void FindDigits(const double* values, size_t count, FloatDigits* out) {
  for (size_t i = 0; i < count; ++i) out[i] = Find(values[i]);
}

bool AreSmallWholes(const double* values, size_t count) {
  auto fits = [](double v) {
    const double small = std::fabs(v) < 1e8 ? v : 0.5;
    return (static_cast<double>(static_cast<int32_t>(small)) == small) &
           (std::bit_cast<uint64_t>(v) != uint64_t{1} << 63);
  };
  if (count > 0 && !fits(values[0])) return false;  // numbers of a series are alike
  bool all = true;
  for (size_t i = 0; i < count; ++i) all &= fits(values[i]);
  return all;
}

}  // namespace gauntlet
