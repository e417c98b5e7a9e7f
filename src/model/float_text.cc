// The digits come from std::to_chars (shortest, scientific); only their layout is ours: in fixed notation to_chars
// prints a large float exactly, where Go pads the shortest digits with zeros.

#include "model/float_text.h"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "model/labels.h"

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

template <char* (*write)(double, char*)>
std::string Format(double v) {
  char buffer[kFloatTextMax];
  return std::string(buffer, write(v, buffer));
}

Status BadFloat(std::string_view text, std::string_view why) {
  return Status(Code::kInvalid, "strconv.ParseFloat: parsing " + GoQuote(text) + ": " + std::string(why));
}

bool EqualsIgnoringCase(std::string_view s, std::string_view lower) {
  if (s.size() != lower.size()) return false;
  for (size_t i = 0; i < s.size(); ++i) {
    if ((s[i] | 0x20) != lower[i]) return false;
  }
  return true;
}

}  // namespace

char* WriteFloatF(double v, char* out) {
  if (char* end = PutWhole(v, out)) return end;
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
  if (char* end = PutSpecial(v, out)) return end;
  const double size = std::fabs(v);
  if (size == 0 || (size >= 1e-6 && size < 1e21)) return PutFixed(v, out);
  char* end = PutScientific(v, out);
  if (end - out >= 4 && end[-4] == 'e' && end[-3] == '-' && end[-2] == '0') {
    end[-2] = end[-1];
    --end;
  }
  return end;
}

std::string FormatFloatF(double v) { return Format<WriteFloatF>(v); }
std::string FormatFloatE(double v) { return Format<WriteFloatE>(v); }
std::string FormatFloatG(double v) { return Format<WriteFloatG>(v); }
std::string FormatFloatApi(double v) { return Format<WriteFloatApi>(v); }

Result<double> ParseFloat(std::string_view text) {
  std::string_view s = text;
  bool negative = false, sign = false;
  if (!s.empty() && (s[0] == '+' || s[0] == '-')) {
    sign = true;
    negative = s[0] == '-';
    s.remove_prefix(1);
  }
  if (EqualsIgnoringCase(s, "inf") || EqualsIgnoringCase(s, "infinity")) return negative ? -HUGE_VAL : HUGE_VAL;
  if (!sign && EqualsIgnoringCase(s, "nan")) return std::nan("");
  bool hex = s.size() > 2 && s[0] == '0' && (s[1] | 0x20) == 'x';
  std::string_view digits = hex ? s.substr(2) : s;
  // from_chars would take a second sign, "nan" and "inf" here, and a hexadecimal number without its exponent.
  bool starts_well = !digits.empty() && (digits[0] == '.' || std::isxdigit(static_cast<unsigned char>(digits[0])));
  if (!starts_well || (hex && digits.find_first_of("pP") == std::string_view::npos)) {
    return BadFloat(text, "invalid syntax");
  }
  double v = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), v,
                                      hex ? std::chars_format::hex : std::chars_format::general);
  if (end != digits.data() + digits.size() || error == std::errc::invalid_argument) {
    return BadFloat(text, "invalid syntax");
  }
  if (error == std::errc::result_out_of_range) {  // too large is an error; too small is zero or a denormal
    v = std::strtod(std::string(s).c_str(), nullptr);
    if (std::isinf(v)) return BadFloat(text, "value out of range");
  }
  return negative ? -v : v;
}

}  // namespace gauntlet
