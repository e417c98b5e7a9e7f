#include "model/float_text.h"

#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "model/labels.h"

namespace gauntlet {
namespace {

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
