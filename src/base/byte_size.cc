#include "base/byte_size.h"

#include <charconv>

namespace gauntlet {
namespace {

constexpr std::string_view kPrefixes = "KMGTPE";

// The factor of a unit, or 0.
uint64_t Factor(std::string_view unit) {
  if (unit == "B" || unit.empty()) return 1;
  size_t prefix = kPrefixes.find(unit[0]);
  if (prefix == std::string_view::npos || (unit.substr(1) != "B" && unit.substr(1) != "iB")) return 0;
  return uint64_t{1} << (10 * (prefix + 1));
}

}  // namespace

Result<uint64_t> ParseByteSize(std::string_view text) {
  auto invalid = [text](std::string_view why) {
    return Status(Code::kInvalid, std::string(why) + " in size \"" + std::string(text) + "\"");
  };
  std::string_view rest = text;
  double total = 0;
  if (rest.empty()) return invalid("no number");
  while (!rest.empty()) {
    if (rest[0] != '.' && (rest[0] < '0' || rest[0] > '9')) return invalid("no number");
    size_t digits = rest.find_first_not_of("0123456789.");
    if (digits == std::string_view::npos) digits = rest.size();
    double number = 0;
    auto [end, error] = std::from_chars(rest.data(), rest.data() + digits, number);
    if (error != std::errc() || end != rest.data() + digits) return invalid("malformed number");
    rest.remove_prefix(digits);
    size_t letters = rest.find_first_of("0123456789.");
    std::string_view unit = rest.substr(0, letters);
    uint64_t factor = Factor(unit);
    if (factor == 0) return invalid("unknown unit \"" + std::string(unit) + "\"");
    rest.remove_prefix(unit.size());
    total += number * static_cast<double>(factor);
  }
  if (total >= 9223372036854775808.0) return invalid("number out of range");
  return static_cast<uint64_t>(total);
}

std::string FormatByteSize(uint64_t bytes) {
  std::string text;
  for (size_t i = kPrefixes.size(); i > 0; --i) {
    uint64_t factor = uint64_t{1} << (10 * i);
    if (bytes < factor) continue;
    text += std::to_string(bytes / factor) + kPrefixes[i - 1] + "iB";
    bytes %= factor;
  }
  if (bytes > 0 || text.empty()) text += std::to_string(bytes) + "B";
  return text;
}

}  // namespace gauntlet
