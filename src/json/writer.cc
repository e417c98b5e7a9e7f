#include "json/writer.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstring>

#include "base/float_format.h"
#include "base/utf8.h"

namespace gauntlet::json {
namespace {

// What a byte needs inside a string.
enum : uint8_t { kPlain = 0, kEscape = 1, kHtml = 2, kHigh = 4 };

constexpr std::array<uint8_t, 256> MakeNeeds() {
  std::array<uint8_t, 256> needs{};
  for (int c = 0; c < 256; ++c) {
    bool escape = c < 0x20 || c == '"' || c == '\\';
    bool html = c == '<' || c == '>' || c == '&';
    needs[static_cast<size_t>(c)] = escape ? kEscape : html ? kHtml : c >= 0x80 ? kHigh : kPlain;
  }
  return needs;
}
constexpr std::array<uint8_t, 256> kNeeds = MakeNeeds();

void AppendEscape(std::string& out, char c) {
  switch (c) {
    case '"':
      out.append("\\\"");
      return;
    case '\\':
      out.append("\\\\");
      return;
    case '\n':
      out.append("\\n");
      return;
    case '\r':
      out.append("\\r");
      return;
    case '\t':
      out.append("\\t");
      return;
    default: {
      auto byte = static_cast<uint8_t>(c);
      const char code[] = {'\\', 'u', '0', '0', "0123456789abcdef"[byte >> 4], "0123456789abcdef"[byte & 15]};
      out.append(code, sizeof(code));
    }
  }
}

}  // namespace

// Writes "seconds" or "seconds.mmm".
char* WriteApiTime(int64_t ms, char* p) {
  uint64_t left = ms < 0 ? -static_cast<uint64_t>(ms) : static_cast<uint64_t>(ms);
  if (ms < 0) *p++ = '-';
  p = std::to_chars(p, p + 24, left / 1000).ptr;
  auto fraction = static_cast<uint32_t>(left % 1000);
  if (fraction != 0) {
    p[0] = '.';
    p[1] = static_cast<char>('0' + fraction / 100);
    p[2] = static_cast<char>('0' + fraction / 10 % 10);
    p[3] = static_cast<char>('0' + fraction % 10);
    p += 4;
  }
  return p;
}

void AppendQuoted(std::string& out, std::string_view s, bool html) {
  const uint8_t stop = html ? (kEscape | kHtml | kHigh) : (kEscape | kHigh);
  out.push_back('"');
  size_t start = 0, i = 0;
  auto flush = [&] { out.append(s.substr(start, i - start)); };
  while (i < s.size()) {
    uint8_t need = kNeeds[static_cast<uint8_t>(s[i])] & stop;
    if (need == kPlain) [[likely]] {
      ++i;
    } else if (need == kHigh) {
      Rune rune = DecodeRune(s.substr(i));
      bool separator = rune.value == 0x2028 || rune.value == 0x2029;  // not allowed in JavaScript strings
      if (rune.valid && !separator) {
        i += rune.bytes;
        continue;
      }
      flush();
      out.append(!rune.valid ? "\\ufffd" : rune.value == 0x2028 ? "\\u2028" : "\\u2029");
      i += rune.bytes;
      start = i;
    } else {
      flush();
      AppendEscape(out, s[i]);
      start = ++i;
    }
  }
  flush();
  out.push_back('"');
}

Writer& Writer::Key(std::string_view key) {
  Separate();
  AppendQuoted(out_, key);
  out_.push_back(':');
  comma_ = false;
  return *this;
}

Writer& Writer::String(std::string_view s) {
  Separate();
  AppendQuoted(out_, s);
  return *this;
}

Writer& Writer::PlainString(std::string_view s) {
  Separate();
  AppendQuoted(out_, s, false);
  return *this;
}

Writer& Writer::Int(int64_t v) {
  char buffer[24];
  return Literal({buffer, static_cast<size_t>(std::to_chars(buffer, buffer + sizeof(buffer), v).ptr - buffer)});
}

Writer& Writer::Uint(uint64_t v) {
  char buffer[24];
  return Literal({buffer, static_cast<size_t>(std::to_chars(buffer, buffer + sizeof(buffer), v).ptr - buffer)});
}

Writer& Writer::Double(double v) {
  if (!std::isfinite(v)) return Null();
  char buffer[kFloatTextMax];
  return Literal({buffer, static_cast<size_t>(WriteFloatJson(v, buffer) - buffer)});
}

Writer& Writer::ApiFloat(double v) {
  char buffer[kFloatTextMax + 2];
  char* p = buffer;
  *p++ = '"';
  p = WriteFloatApi(v, p);
  *p++ = '"';
  return Literal({buffer, static_cast<size_t>(p - buffer)});
}

Writer& Writer::ApiTime(int64_t ms) {
  char buffer[kApiTimeMax];
  return Literal({buffer, static_cast<size_t>(WriteApiTime(ms, buffer) - buffer)});
}

Writer& Writer::ApiSample(int64_t ms, double v) {
  char buffer[kFloatTextMax + 40];
  char* p = buffer;
  *p = ',';
  p += comma_;
  *p++ = '[';
  p = WriteApiTime(ms, p);
  *p++ = ',';
  *p++ = '"';
  p = WriteFloatApi(v, p);
  *p++ = '"';
  *p++ = ']';
  out_.append(buffer, static_cast<size_t>(p - buffer));
  comma_ = true;
  return *this;
}

}  // namespace gauntlet::json
