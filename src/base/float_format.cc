// The shortest digits come from fmt's Dragonbox, which takes half as long as std::to_chars; their layout is ours: in
// fixed notation to_chars prints a large float exactly, where Go pads the shortest digits with zeros.

#include "base/float_format.h"

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

// Whole numbers below 2^53 print as integers in fixed notation. Not -0. Null when it is not one.
char* PutWhole(double v, char* out) {
  if (!(std::fabs(v) < 9007199254740992.0)) return nullptr;
  auto whole = static_cast<int64_t>(v);
  if (static_cast<double>(whole) != v || (whole == 0 && std::signbit(v))) return nullptr;
  return std::to_chars(out, out + 24, whole).ptr;
}

// "00" to "99".
constexpr std::array<char, 200> MakePairs() {
  std::array<char, 200> pairs{};
  for (size_t i = 0; i < 100; ++i) {
    pairs[2 * i] = static_cast<char>('0' + i / 10);
    pairs[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
  return pairs;
}
constexpr std::array<char, 200> kPairs = MakePairs();

void PutPair(uint32_t n, char* out) { std::memcpy(out, kPairs.data() + 2 * n, 2); }

// The eight digits of n, with leading zeros.
void PutEight(uint32_t n, char* out) {
  const uint32_t high = n / 10'000, low = n % 10'000;
  PutPair(high / 100, out);
  PutPair(high % 100, out + 2);
  PutPair(low / 100, out + 4);
  PutPair(low % 100, out + 6);
}

// Numbers with up to six decimals, which is what rates of counters and times in seconds mostly are, from an integer: a
// decimal of at most 15 digits that reads back as v is the shortest one, for no other so short reads back as v. Null
// when v is not one. REQUIRES: v is not whole.
char* PutDecimal(double v, char* out) {
  constexpr double kScale = 1e6;
  if (!(std::fabs(v) < 1e9)) return nullptr;
  auto scaled = static_cast<int64_t>(std::fabs(v) * kScale + 0.5);
  if (scaled == 0 || static_cast<double>(scaled) / kScale != std::fabs(v)) return nullptr;
  *out = '-';
  out += v < 0;
  out = std::to_chars(out, out + 24, scaled / 1'000'000).ptr;
  const auto decimals = static_cast<uint32_t>(scaled % 1'000'000);
  *out++ = '.';
  PutPair(decimals / 10'000, out);
  PutPair(decimals / 100 % 100, out + 2);
  PutPair(decimals % 100, out + 4);
  out += 6;
  while (out[-1] == '0') --out;
  return out;
}

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
int CountDigits(uint64_t n) {
  const int at_least = (64 - std::countl_zero(n)) * 1233 >> 12;  // log10(2) is near 1233 / 4096
  return at_least + (n >= kPowersOfTen[static_cast<size_t>(at_least)]);
}

// The shortest digits d1 d2 .. dn of |v|, which is d1.d2..dn * 10^exponent.
struct Digits {
  static constexpr size_t kCopied = 24;  // bytes that may be copied from any of the digits on
  const char* text;
  int count;
  int exponent;
  char buffer[kCopied + kCopied];  // the significand as 24 digits, with leading zeros
};

// REQUIRES: v is finite and not 0.
void FindShortestDigits(double v, Digits* digits) {
  const auto decimal = fmt::detail::dragonbox::to_decimal(std::fabs(v));
  const uint64_t high = decimal.significand / 100'000'000;
  PutEight(static_cast<uint32_t>(high / 100'000'000), digits->buffer);
  PutEight(static_cast<uint32_t>(high % 100'000'000), digits->buffer + 8);
  PutEight(static_cast<uint32_t>(decimal.significand % 100'000'000), digits->buffer + 16);
  digits->count = CountDigits(decimal.significand);
  digits->text = digits->buffer + 24 - digits->count;
  digits->exponent = decimal.exponent + digits->count - 1;
}

// May write kCopied bytes beyond what it returns.
char* PutFixed(double v, char* out) {
  *out = '-';
  out += std::signbit(v);
  if (v == 0) return Put("0", out);
  Digits digits;
  FindShortestDigits(v, &digits);
  const int whole = digits.exponent + 1;  // digits before the point
  if (whole <= 0) {
    out = Put("0.", out);
    for (int i = whole; i < 0; ++i) *out++ = '0';
    std::memcpy(out, digits.text, Digits::kCopied);
    return out + digits.count;
  }
  std::memcpy(out, digits.text, Digits::kCopied);
  if (digits.count <= whole) {
    std::memset(out + digits.count, '0', static_cast<size_t>(whole - digits.count));
    return out + whole;
  }
  out[whole] = '.';
  std::memcpy(out + whole + 1, digits.text + whole, Digits::kCopied);
  return out + digits.count + 1;
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

char* WriteFloatJson(double v, char* out) {
  char* end = WriteFloatApi(v, out);
  if (end - out >= 4 && end[-4] == 'e' && end[-3] == '-' && end[-2] == '0') {
    end[-2] = end[-1];
    --end;
  }
  return end;
}

}  // namespace gauntlet
