// FloatDigits: the shortest decimal digits of a float that read back as it, found and laid out without branches that
// depend on them. For the floats that are written most: from 2^-20 (a little below 1e-6) to 2^53, and their negatives.
//
// Upstream: Go strconv.AppendFloat(f, 'f', -1, 64)
// Threads:  functions.

#pragma once

#if defined(__SSE4_1__)
#include <smmintrin.h>
#endif

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace gauntlet {

// digits * 10^exponent, of 16 or 17 digits, zeros at their end included. digits = 0: of no float in the range.
struct FloatDigits {
  uint64_t digits;
  int32_t exponent;
};

// Of v's size, whatever its sign.
FloatDigits FindDigits(double v);
// Of many, which takes less time than one by one and laying out each at once.
void FindDigits(const double* values, size_t count, FloatDigits* out);

// The eight digits of n < 10^8, each in a byte, the first one in the lowest: divided by 10^4, then both halves by 100,
// then all four quarters by 10.
inline uint64_t EightDigits(uint32_t n) {
  uint64_t x = n / 10'000 | uint64_t{n % 10'000} << 32;
  uint64_t t = (x * 10'486 >> 20) & 0x0000007f0000007f;
  x = t | (x - 100 * t) << 16;
  t = (x * 103 >> 10) & 0x000f000f000f000f;
  return t | (x - 10 * t) << 8;
}
inline constexpr uint64_t kEightZeros = 0x3030303030303030;  // as text

// Sixteen digits as text, in a register.
class SixteenDigits {
 public:
  // Those of high * 10^8 + low. REQUIRES: both < 10^8.
  SixteenDigits(uint32_t high, uint32_t low);
  void Store(char* out) const;
  // As Store, but those from the n-th on go one place further and leave it free. REQUIRES: n <= 16.
  void StoreApart(int n, char* out) const;
  // The n-th bit is set when the n-th digit is not zero.
  uint32_t NotZero() const;

 private:
#if defined(__SSE4_1__)
  __m128i digits_, text_;
#else
  uint64_t high_, low_;
#endif
};

#if defined(__SSE4_1__)
inline SixteenDigits::SixteenDigits(uint32_t high, uint32_t low) {
  // Divided by 10^4: four numbers of four digits. Then by 100 and by 10.
  __m128i x = _mm_set_epi64x(low, high);
  __m128i t = _mm_srli_epi64(_mm_mul_epu32(x, _mm_set1_epi64x(0xd1b71759)), 45);
  x = _mm_or_si128(t, _mm_slli_epi64(_mm_sub_epi64(x, _mm_mul_epu32(t, _mm_set1_epi64x(10'000))), 32));
  t = _mm_srli_epi16(_mm_mulhi_epu16(x, _mm_set1_epi16(10'486)), 4);
  x = _mm_or_si128(t, _mm_slli_epi32(_mm_sub_epi16(x, _mm_mullo_epi16(t, _mm_set1_epi16(100))), 16));
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
  const __m128i both = _mm_blendv_epi8(_mm_slli_si128(text_, 1), text_, mask);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out), both);
}
inline uint32_t SixteenDigits::NotZero() const {
  return static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(digits_, _mm_setzero_si128()))) ^ 0xffff;
}
#else
inline SixteenDigits::SixteenDigits(uint32_t high, uint32_t low) : high_(EightDigits(high)), low_(EightDigits(low)) {}
inline void SixteenDigits::Store(char* out) const {
  const uint64_t text[] = {high_ + kEightZeros, low_ + kEightZeros};
  std::memcpy(out, text, sizeof(text));
}
inline void SixteenDigits::StoreApart(int n, char* out) const {
  char text[16];
  Store(text);
  Store(out + 1);
  std::memcpy(out, text, static_cast<size_t>(n));
}
inline uint32_t SixteenDigits::NotZero() const {
  uint32_t bits = 0;
  for (int i = 0; i < 16; ++i) bits |= uint32_t{((i < 8 ? high_ : low_) >> i % 8 * 8 & 0xff) != 0} << i;
  return bits;
}
#endif

// Writes the digits without zeros at their end, in fixed notation, and returns the end of the text. Fills up to
// kDigitsTextMax bytes, whatever the length. REQUIRES: digits != 0.
inline constexpr size_t kDigitsTextMax = 32;
inline char* WriteDigits(FloatDigits all, char* out) {
  constexpr uint32_t kEightDigits = 100'000'000;  // 10^8
  const bool sixteen = all.digits < uint64_t{kEightDigits} * kEightDigits;
  const uint64_t digits = sixteen ? 10 * all.digits : all.digits;
  const int whole = all.exponent + 17 - int{sixteen};  // digits before the point
  const auto front = static_cast<uint32_t>(digits / kEightDigits);
  const auto back = static_cast<uint32_t>(digits % kEightDigits);
  const auto first = static_cast<char>('0' + front / kEightDigits);
  const SixteenDigits others(front % kEightDigits, back);
  const int count = std::bit_width(others.NotZero() << 1 | 1);
  if (whole > 0) {
    *out = first;
    others.StoreApart(whole - 1, out + 1);
    out[whole] = '.';
    return out + (count > whole ? count + 1 : whole);
  }
  std::memcpy(out, "0.000000", 8);
  out += 2 - whole;
  *out = first;
  others.Store(out + 1);
  return out + count;
}

// Counters mostly are whole numbers, which need no search: whether all of these are, below 10^8 in size and none of
// them -0.
bool AreSmallWholes(const double* values, size_t count);
// One of these as text, of which the end is returned. Fills up to 9 bytes.
inline char* WriteSmallWhole(double v, char* out) {
  const auto whole = static_cast<int32_t>(v);
  *out = '-';
  out += whole < 0;
  const uint64_t digits = EightDigits(static_cast<uint32_t>(whole < 0 ? -whole : whole));
  const int leading = std::countr_zero(digits | uint64_t{1} << 56) / 8;
  const uint64_t text = (digits + kEightZeros) >> 8 * leading;
  std::memcpy(out, &text, sizeof(text));
  return out + 8 - leading;
}

}  // namespace gauntlet
