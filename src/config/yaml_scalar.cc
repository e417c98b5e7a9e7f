#include "config/yaml_scalar.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <initializer_list>
#include <limits>
#include <string>
#include <system_error>

namespace gauntlet::config {
namespace {

bool IsOneOf(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

bool IsNullText(std::string_view text) { return text.empty() || IsOneOf(text, {"~", "null", "Null", "NULL"}); }

}  // namespace

bool BoolText(std::string_view text, bool* value) {
  if (IsOneOf(text, {"y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"})) {
    *value = true;
    return true;
  }
  *value = false;
  return IsOneOf(text, {"n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"});
}

bool IntText(std::string_view text, int64_t* value) {
  std::string digits;
  for (char c : text) {
    if (c != '_') digits += c;
  }
  std::string_view rest = digits;
  bool negative = rest.starts_with('-');
  if (negative || rest.starts_with('+')) rest.remove_prefix(1);
  int base = 10;
  if (rest.size() > 1 && rest[0] == '0') {
    char mark = static_cast<char>(rest[1] | 0x20);
    base = mark == 'x' ? 16 : mark == 'b' ? 2 : 8;
    rest.remove_prefix(base == 8 && mark != 'o' ? 1 : 2);
  }
  uint64_t magnitude = 0;
  auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), magnitude, base);
  if (rest.empty() || error != std::errc() || end != rest.data() + rest.size()) return false;
  constexpr auto kMax = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  if (magnitude > kMax + (negative ? 1 : 0)) return false;
  *value = static_cast<int64_t>(negative ? 0 - magnitude : magnitude);
  return true;
}

bool FloatText(std::string_view text, double* value) {
  if (IsOneOf(text, {".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"})) {
    *value = HUGE_VAL;
    return true;
  }
  if (IsOneOf(text, {"-.inf", "-.Inf", "-.INF"})) {
    *value = -HUGE_VAL;
    return true;
  }
  if (IsOneOf(text, {".nan", ".NaN", ".NAN"})) {
    *value = std::nan("");
    return true;
  }
  if (text.starts_with('+')) text.remove_prefix(1);
  std::string_view first = text.starts_with('-') ? text.substr(1) : text;
  if (first.empty() || text.find_first_not_of("0123456789.eE+-") != std::string_view::npos) return false;
  if (first[0] != '.' && (first[0] < '0' || first[0] > '9')) return false;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value);
  if (end != text.data() + text.size() || error == std::errc::invalid_argument) return false;
  if (error == std::errc::result_out_of_range) *value = std::strtod(std::string(text).c_str(), nullptr);
  return true;
}

Node::Type PlainType(std::string_view text) {
  bool b;
  int64_t i;
  double d;
  if (IsNullText(text)) return Node::Type::kNull;
  if (BoolText(text, &b)) return Node::Type::kBool;
  if (IntText(text, &i)) return Node::Type::kInt;
  if (FloatText(text, &d)) return Node::Type::kFloat;
  return Node::Type::kString;
}

bool LooksLikeBase60(std::string_view text) {
  if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
  return !text.empty() && text[0] >= '0' && text[0] <= '9' && text.find(':') != std::string_view::npos &&
         text.find_first_not_of("0123456789_:.") == std::string_view::npos;
}

bool ToBool(const Node& node, bool* value) {
  return node.kind() == Node::Kind::kScalar && node.type() == Node::Type::kBool && BoolText(node.text(), value);
}

bool ToInt(const Node& node, int64_t* value) {
  if (node.kind() != Node::Kind::kScalar) return false;
  Node::Type type = node.type();
  if (type == Node::Type::kInt) return IntText(node.text(), value);
  double d = 0;
  if (type != Node::Type::kFloat || !FloatText(node.text(), &d)) return false;
  if (!(std::fabs(d) < 9.2e18) || d != std::trunc(d)) return false;
  *value = static_cast<int64_t>(d);
  return true;
}

bool ToFloat(const Node& node, double* value) {
  if (node.kind() != Node::Kind::kScalar) return false;
  Node::Type type = node.type();
  int64_t i = 0;
  if (type == Node::Type::kInt && IntText(node.text(), &i)) {
    *value = static_cast<double>(i);
    return true;
  }
  return type == Node::Type::kFloat && FloatText(node.text(), value);
}

}  // namespace gauntlet::config
