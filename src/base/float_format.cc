// The digits come from std::to_chars (shortest, scientific); only their layout is ours: in fixed notation to_chars
// prints a large float exactly, where Go pads the shortest digits with zeros.

#include "base/float_format.h"

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

// Numbers with up to six decimals, which is what rates of counters and times in seconds mostly are, from an integer: a
// decimal of at most 15 digits that reads back as v is the shortest one, for no other so short reads back as v. Null
// when v is not one. REQUIRES: v is not whole.
char* PutDecimal(double v, char* out) {
  constexpr double kScale = 1e6;
  if (!(std::fabs(v) < 1e9)) return nullptr;
  auto scaled = static_cast<int64_t>(std::fabs(v) * kScale + 0.5);
  if (scaled == 0 || static_cast<double>(scaled) / kScale != std::fabs(v)) return nullptr;
  if (v < 0) *out++ = '-';
  out = std::to_chars(out, out + 24, scaled / 1'000'000).ptr;
  *out++ = '.';
  auto decimals = static_cast<uint32_t>(scaled % 1'000'000);
  for (int i = 5; i >= 0; --i) {
    out[i] = static_cast<char>('0' + decimals % 10);
    decimals /= 10;
  }
  out += 6;
  while (out[-1] == '0') --out;
  return out;
}

// The shortest digits d1 d2 .. dn of |v|, which is d1.d2..dn * 10^exponent.
struct Digits {
  char text[20];
  int count = 0;
  int exponent = 0;
};

Digits ShortestDigits(double v) {
  char buffer[40];
  char* end = std::to_chars(buffer, buffer + sizeof(buffer), std::fabs(v), std::chars_format::scientific).ptr;
  Digits digits;
  char* p = buffer;
  for (; *p != 'e'; ++p) {
    if (*p != '.') digits.text[digits.count++] = *p;
  }
  ++p;
  if (*p == '+') ++p;
  std::from_chars(p, end, digits.exponent);
  return digits;
}

char* PutFixed(double v, char* out) {
  if (std::signbit(v)) *out++ = '-';
  const Digits digits = ShortestDigits(v);
  const int whole = digits.exponent + 1;  // digits before the point
  if (whole <= 0) {
    out = Put("0", out);
    if (digits.text[0] == '0') return out;
    *out++ = '.';
    std::memset(out, '0', static_cast<size_t>(-whole));
    out += -whole;
    return Put({digits.text, static_cast<size_t>(digits.count)}, out);
  }
  if (digits.count <= whole) {
    out = Put({digits.text, static_cast<size_t>(digits.count)}, out);
    std::memset(out, '0', static_cast<size_t>(whole - digits.count));
    return out + (whole - digits.count);
  }
  out = Put({digits.text, static_cast<size_t>(whole)}, out);
  *out++ = '.';
  return Put({digits.text + whole, static_cast<size_t>(digits.count - whole)}, out);
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
