// The shortest digits come from fmt's Dragonbox, which takes half as long as std::to_chars; their layout is ours: in
// fixed notation to_chars prints a large float exactly, where Go pads the shortest digits with zeros. Digits become
// text eight or sixteen at a time, in a register, and go from there to their places.

#include "base/float_format.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include <fmt/format.h>

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace gauntlet {
namespace {

char* Put(std::string_view s, char* out) {
  std::memcpy(out, s.data(), s.size());
  return out + s.size();
}

// NaN and the infinities; null for a finite number.
char* PutSpecial(double v, char* out) {
  if (std::isfinite(v)) [[likely]]
    return nullptr;
  return Put(std::isnan(v) ? "NaN" : v > 0 ? "+Inf" : "-Inf", out);
}

constexpr uint32_t kEightDigits = 100'000'000;  // 10^8
constexpr uint64_t kZeros = 0x3030303030303030;

// The eight digits of n < 10^8, each in a byte, the first one in the lowest: divided by 10^4, then both halves by 100,
// then all four quarters by 10.
inline uint64_t EightDigits(uint32_t n) {
  uint64_t x = n / 10'000 | uint64_t{n % 10'000} << 32;
  uint64_t t = (x * 10'486 >> 20) & 0x0000007f0000007f;
  x = t | (x - 100 * t) << 16;
  t = (x * 103 >> 10) & 0x000f000f000f000f;
  return t | (x - 10 * t) << 8;
}

// Writes eight bytes; the text ends where it says. REQUIRES: n < 10^8.
inline char* PutUpToEight(uint32_t n, char* out) {
  const uint64_t digits = EightDigits(n);
  const int leading = std::countr_zero(digits | uint64_t{1} << 56) / 8;
  const uint64_t text = (digits + kZeros) >> 8 * leading;
  std::memcpy(out, &text, sizeof(text));
  return out + 8 - leading;
}

// Whole numbers below 2^53 print as integers in fixed notation. Not -0. Null when it is not one.
inline char* PutWhole(double v, char* out) {
  if (!(std::fabs(v) < 9007199254740992.0)) return nullptr;
  const auto whole = static_cast<int64_t>(v);
  if (static_cast<double>(whole) != v || (whole == 0 && std::signbit(v))) return nullptr;
  *out = '-';
  out += whole < 0;
  const auto size = static_cast<uint64_t>(whole < 0 ? -whole : whole);
  if (size < kEightDigits) return PutUpToEight(static_cast<uint32_t>(size), out);
  out = PutUpToEight(static_cast<uint32_t>(size / kEightDigits), out);
  const uint64_t text = EightDigits(static_cast<uint32_t>(size % kEightDigits)) + kZeros;
  std::memcpy(out, &text, sizeof(text));
  return out + sizeof(text);
}

// Numbers with up to six decimals, which is what quantiles of latencies and times in seconds mostly are, from an
// integer: a decimal of at most 15 digits that reads back as v is the shortest one, for no other so short reads back as
// v. Null when v is not one. REQUIRES: v is not whole.
inline char* PutDecimal(double v, char* out) {
  constexpr double kScale = 1e6;
  constexpr uint32_t kSixDigits = 1'000'000;
  const double size = std::fabs(v), product = size * kScale;
  if (!(size < 1e8)) return nullptr;
  const auto scaled = static_cast<int64_t>(product + 0.5);
  if (std::fabs(product - static_cast<double>(scaled)) > product * 0x1p-52) return nullptr;  // most, without a division
  if (scaled == 0 || static_cast<double>(scaled) / kScale != size) return nullptr;
  *out = '-';
  out += v < 0;
  out = PutUpToEight(static_cast<uint32_t>(scaled / kSixDigits), out);
  const uint64_t decimals = EightDigits(static_cast<uint32_t>(scaled % kSixDigits)) >> 16;
  const uint64_t text = decimals + (kZeros >> 16);
  *out++ = '.';
  std::memcpy(out, &text, sizeof(text));
  return out + 8 - std::countl_zero(decimals) / 8;
}

// Sixteen digits as text, in a register.
class SixteenDigits {
 public:
  // Those of high * 10^8 + low.
  SixteenDigits(uint32_t high, uint32_t low);
  void Store(char* out) const;
  // As Store, but those from the n-th on go one place further and leave it free. REQUIRES: n < 16.
  void StoreApart(int n, char* out) const;
  int CountWithoutEndingZeros() const;

 private:
#if defined(__SSE2__)
  __m128i digits_, text_;
#else
  uint64_t high_, low_;
#endif
};

#if defined(__SSE2__)
inline SixteenDigits::SixteenDigits(uint32_t high, uint32_t low) {
  // Four numbers of four digits, eight of two, sixteen of one.
  __m128i x = _mm_set_epi32(static_cast<int>(low % 10'000), static_cast<int>(low / 10'000),
                            static_cast<int>(high % 10'000), static_cast<int>(high / 10'000));
  __m128i t = _mm_srli_epi16(_mm_mulhi_epu16(x, _mm_set1_epi32(10'486)), 4);
  x = _mm_or_si128(t, _mm_slli_epi32(_mm_sub_epi16(x, _mm_mullo_epi16(t, _mm_set1_epi32(100))), 16));
  t = _mm_mulhi_epu16(x, _mm_set1_epi16(6'554));
  digits_ = _mm_or_si128(t, _mm_slli_epi16(_mm_sub_epi16(x, _mm_mullo_epi16(t, _mm_set1_epi16(10))), 8));
  text_ = _mm_add_epi8(digits_, _mm_set1_epi8('0'));
}
inline void SixteenDigits::Store(char* out) const { _mm_storeu_si128(reinterpret_cast<__m128i*>(out), text_); }
inline void SixteenDigits::StoreApart(int n, char* out) const {
  alignas(16) static constexpr uint8_t kMasks[32] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                                     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out + 1), text_);
  const __m128i mask = _mm_loadu_si128(reinterpret_cast<const __m128i*>(kMasks + 16 - n));
  const __m128i further = _mm_slli_si128(text_, 1);
  const __m128i both = _mm_or_si128(_mm_and_si128(mask, text_), _mm_andnot_si128(mask, further));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out), both);
}
inline int SixteenDigits::CountWithoutEndingZeros() const {
  const auto zeros = static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(digits_, _mm_setzero_si128())));
  return std::bit_width(zeros ^ 0xffff);
}
#else
inline SixteenDigits::SixteenDigits(uint32_t high, uint32_t low) : high_(EightDigits(high)), low_(EightDigits(low)) {}
inline void SixteenDigits::Store(char* out) const {
  const uint64_t text[] = {high_ + kZeros, low_ + kZeros};
  std::memcpy(out, text, sizeof(text));
}
inline void SixteenDigits::StoreApart(int n, char* out) const {
  char text[16];
  Store(text);
  Store(out + 1);
  std::memcpy(out, text, static_cast<size_t>(n));
}
inline int SixteenDigits::CountWithoutEndingZeros() const {
  if (low_ != 0) return 16 - std::countl_zero(low_) / 8;
  return high_ != 0 ? 8 - std::countl_zero(high_) / 8 : 0;
}
#endif

constexpr std::array<uint64_t, 20> MakePowersOfTen() {
  std::array<uint64_t, 20> powers{};
  uint64_t power = 1;
  for (uint64_t& p : powers) {
    p = power;
    power *= 10;
  }
  return powers;
}
constexpr std::array<uint64_t, 20> kPowersOfTen = MakePowersOfTen();

// REQUIRES: n > 0
inline int CountDigits(uint64_t n) {
  const int at_least = (64 - std::countl_zero(n)) * 1233 >> 12;  // log10(2) is near 1233 / 4096
  return at_least + (n >= kPowersOfTen[static_cast<size_t>(at_least)]);
}

constexpr uint64_t kSixteenth = uint64_t{kEightDigits} * kEightDigits;  // 10^16
constexpr int kMostDigits = 17;

// digits * 10^exponent, of 17 digits.
struct SeventeenDigits {
  uint64_t digits;
  int exponent;
};

// The shortest ones, with zeros at their end. REQUIRES: v is finite and not 0.
inline SeventeenDigits FindShortest(double v) {
  const auto decimal = fmt::detail::dragonbox::to_decimal(std::fabs(v));
  const uint64_t n = decimal.significand;
  if (n < kSixteenth / 100) {
    const int missing = kMostDigits - CountDigits(n);
    return {n * kPowersOfTen[static_cast<size_t>(missing)], decimal.exponent - missing};
  }
  // Without branches: whether a digit or two are missing cannot be foreseen.
  const int missing = static_cast<int>(n < kSixteenth / 10) + static_cast<int>(n < kSixteenth);
  return {n * kPowersOfTen[static_cast<size_t>(missing)], decimal.exponent - missing};
}

// May write a few bytes beyond what it returns.
inline char* PutDigits(const SeventeenDigits& all, char* out) {
  const uint64_t rest = all.digits % kSixteenth;
  const SixteenDigits digits(static_cast<uint32_t>(rest / kEightDigits), static_cast<uint32_t>(rest % kEightDigits));
  const int count = 1 + digits.CountWithoutEndingZeros();
  const int whole = all.exponent + kMostDigits;  // digits before the point
  const char first = static_cast<char>('0' + all.digits / kSixteenth);
  if (whole > 0 && whole < count) [[likely]] {
    *out = first;
    digits.StoreApart(whole - 1, out + 1);
    out[whole] = '.';
    return out + count + 1;
  }
  if (whole <= 0) {
    out = Put("0.", out);
    for (int i = whole; i < 0; ++i) *out++ = '0';
  }
  *out = first;
  digits.Store(out + 1);
  if (whole <= 0) return out + count;
  if (whole > kMostDigits) std::memset(out + kMostDigits, '0', static_cast<size_t>(whole - kMostDigits));
  return out + whole;
}

// May write a few bytes beyond what it returns.
inline char* PutFixed(double v, char* out) {
  *out = '-';
  out += std::signbit(v);
  return v == 0 ? Put("0", out) : PutDigits(FindShortest(v), out);
}

char* PutScientific(double v, char* out) { return std::to_chars(out, out + 40, v, std::chars_format::scientific).ptr; }

}  // namespace

char* WriteFloatF(double v, char* out) {
  if (char* end = PutWhole(v, out)) return end;
  if (char* end = PutDecimal(v, out)) return end;
  if (char* end = PutSpecial(v, out)) return end;
  return PutFixed(v, out);
}

char* WriteFloatE(double v, char* out) {
  if (char* end = PutSpecial(v, out)) return end;
  return PutScientific(v, out);
}

char* WriteFloatG(double v, char* out) {
  if (char* end = PutSpecial(v, out)) return end;
  const double size = std::fabs(v);
  // By value, not by the printed exponent: the shortest digits of a float never round across these powers of ten.
  return v != 0 && (size < 1e-4 || size >= 1e6) ? PutScientific(v, out) : WriteFloatF(v, out);
}

char* WriteFloatApi(double v, char* out) {
  if (char* end = PutWhole(v, out)) return end;
  if (char* end = PutDecimal(v, out)) return end;
  if (char* end = PutSpecial(v, out)) return end;
  const double size = std::fabs(v);
  if (size == 0 || (size >= 1e-6 && size < 1e21)) return PutFixed(v, out);
  return PutScientific(v, out);
}

// One loop finds the digits and one lays them out, so that the processor has several numbers in hand in each: one
// number after the other is a long chain of operations that wait for each other.
void WriteFloatsApi(const double* values, size_t count, FloatText* out) {
  SeventeenDigits found[kFloatTextsMax];
  // Numbers of a series are alike.
  char unused[kFloatTextMax];
  const bool decimals = count > 0 && PutDecimal(values[0], unused) != nullptr;
  for (size_t i = 0; i < count; ++i) {
    const double v = values[i], size = std::fabs(v);
    found[i].digits = 0;
    char* end = PutWhole(v, out[i].text);
    if (end == nullptr && decimals) end = PutDecimal(v, out[i].text);
    if (end == nullptr) {
      if (size >= 1e-6 && size < 1e21) {
        found[i] = FindShortest(v);
        continue;
      }
      end = WriteFloatApi(v, out[i].text);
    }
    out[i].bytes = static_cast<unsigned char>(end - out[i].text);
  }
  for (size_t i = 0; i < count; ++i) {
    if (found[i].digits == 0) continue;
    char* text = out[i].text;
    *text = '-';
    char* end = PutDigits(found[i], text + (values[i] < 0));
    out[i].bytes = static_cast<unsigned char>(end - text);
  }
}

char* WriteFloatJson(double v, char* out) {
  char* end = WriteFloatApi(v, out);
  if (end - out >= 4 && end[-4] == 'e' && end[-3] == '-' && end[-2] == '0') {
    end[-2] = end[-1];
    --end;
  }
  return end;
}

}  // namespace gauntlet
