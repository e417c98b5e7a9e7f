// After "U__": legacy characters stand for themselves, "__" for '_', and "_<hex>_" for any other code point.

#include "model/escaping.h"

#include <charconv>
#include <cstdint>

#include "model/labels.h"

namespace gauntlet {
namespace {

constexpr std::string_view kPrefix = "U__";

bool IsLegacyCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ':';
}

void AppendUtf8(uint32_t c, std::string* out) {
  if (c < 0x80) {
    out->push_back(static_cast<char>(c));
  } else if (c < 0x800) {
    out->push_back(static_cast<char>(0xc0 | c >> 6));
    out->push_back(static_cast<char>(0x80 | (c & 0x3f)));
  } else if (c < 0x10000) {
    out->push_back(static_cast<char>(0xe0 | c >> 12));
    out->push_back(static_cast<char>(0x80 | (c >> 6 & 0x3f)));
    out->push_back(static_cast<char>(0x80 | (c & 0x3f)));
  } else {
    out->push_back(static_cast<char>(0xf0 | c >> 18));
    out->push_back(static_cast<char>(0x80 | (c >> 12 & 0x3f)));
    out->push_back(static_cast<char>(0x80 | (c >> 6 & 0x3f)));
    out->push_back(static_cast<char>(0x80 | (c & 0x3f)));
  }
}

// The code point at the start of valid UTF-8; advances.
uint32_t TakeUtf8(std::string_view* s) {
  auto byte = [&](size_t i) { return static_cast<uint8_t>((*s)[i]); };
  size_t length = byte(0) < 0x80 ? 1 : byte(0) < 0xe0 ? 2 : byte(0) < 0xf0 ? 3 : 4;
  uint32_t c = length == 1 ? byte(0) : byte(0) & (0x7f >> length);
  for (size_t i = 1; i < length; ++i) c = c << 6 | (byte(i) & 0x3f);
  s->remove_prefix(length);
  return c;
}

}  // namespace

std::string UnescapeName(std::string_view name) {
  if (!name.starts_with(kPrefix)) return std::string(name);
  std::string out;
  std::string_view rest = name.substr(kPrefix.size());
  while (!rest.empty()) {
    if (rest[0] != '_') {
      out.push_back(rest[0]);
      rest.remove_prefix(1);
      continue;
    }
    if (rest.starts_with("__")) {
      out.push_back('_');
      rest.remove_prefix(2);
      continue;
    }
    size_t end = rest.find('_', 1);
    uint32_t code = 0;
    if (end == std::string_view::npos || end > 7) return std::string(name);
    auto [stop, error] = std::from_chars(rest.data() + 1, rest.data() + end, code, 16);
    if (error != std::errc() || stop != rest.data() + end || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) {
      return std::string(name);
    }
    AppendUtf8(code, &out);
    rest.remove_prefix(end + 1);
  }
  return out;
}

std::string EscapeName(std::string_view name) {
  if (IsLegacyMetricName(name) || !IsValidUtf8(name)) return std::string(name);
  std::string out(kPrefix);
  while (!name.empty()) {
    if (name[0] == '_') {
      out += "__";
      name.remove_prefix(1);
    } else if (IsLegacyCharacter(name[0])) {
      out.push_back(name[0]);
      name.remove_prefix(1);
    } else {
      char hex[8];
      auto end = std::to_chars(hex, hex + sizeof hex, TakeUtf8(&name), 16).ptr;
      out.push_back('_');
      out.append(hex, end);
      out.push_back('_');
    }
  }
  return out;
}

}  // namespace gauntlet
