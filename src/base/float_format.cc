// The layout of fixed notation is ours: in it to_chars prints a large float exactly, where Go pads the shortest digits
// with zeros.

#include "base/float_format.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <cstring>
#include <string_view>

#include "base/float_digits.h"

namespace gauntlet {
namespace {

char* Put(std::string_view s, char* out) {
  std::memcpy(out, s.data(), s.size());
  return out + s.size();
}

char* PutZeros(int count, char* out) {
  std::memset(out, '0', static_cast<size_t>(count));
  return out + count;
}

// NaN and the infinities; null for a finite number.
char* PutSpecial(double v, char* out) {
  if (std::isfinite(v)) [[likely]]
    return nullptr;
  return Put(std::isnan(v) ? "NaN" : v > 0 ? "+Inf" : "-Inf", out);
}

// In fixed notation, of any finite float.
char* PutFixed(double v, char* out) {
  *out = '-';
  out += std::signbit(v);
  if (const FloatDigits digits = FindDigits(v); digits.digits != 0) [[likely]]
    return WriteDigits(digits, out);
  if (v == 0) return Put("0", out);
  // Below 2^-20, or whole and without digits behind the point.
  const auto decimal = fmt::detail::dragonbox::to_decimal(std::fabs(v));
  char text[24];
  const char* end = std::to_chars(text, text + sizeof(text), decimal.significand).ptr;
  const std::string_view digits(text, static_cast<size_t>(end - text));
  if (decimal.exponent >= 0) return PutZeros(decimal.exponent, Put(digits, out));
  return Put(digits, PutZeros(-decimal.exponent - static_cast<int>(digits.size()), Put("0.", out)));
}

char* PutScientific(double v, char* out) { return std::to_chars(out, out + 40, v, std::chars_format::scientific).ptr; }

}  // namespace

char* WriteFloatF(double v, char* out) {
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
  if (char* end = PutSpecial(v, out)) return end;
  const double size = std::fabs(v);
  return v != 0 && (size < 1e-6 || size >= 1e21) ? PutScientific(v, out) : PutFixed(v, out);
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
