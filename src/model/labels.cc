#include "model/labels.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "base/hash.h"
#include "base/utf8.h"

namespace gauntlet {
namespace {

constexpr size_t kLabelBytesMax = size_t{1} << 24;

void PackString(std::string& packed, std::string_view s) {
  if (s.size() < 255) {
    packed.push_back(static_cast<char>(s.size()));
  } else {
    GN_CHECK(s.size() < kLabelBytesMax);
    const char length[4] = {'\xff', static_cast<char>(s.size()), static_cast<char>(s.size() >> 8),
                            static_cast<char>(s.size() >> 16)};
    packed.append(length, sizeof(length));
  }
  packed.append(s);
}

// Reads a length and moves past it.
inline size_t TakeLength(const char*& p) {
  size_t n = static_cast<uint8_t>(*p++);
  if (n == 255) [[unlikely]] {
    n = static_cast<uint8_t>(p[0]) | static_cast<size_t>(static_cast<uint8_t>(p[1])) << 8 |
        static_cast<size_t>(static_cast<uint8_t>(p[2])) << 16;
    p += 3;
  }
  return n;
}

inline std::string_view TakeString(const char*& p) {
  size_t n = TakeLength(p);
  std::string_view s(p, n);
  p += n;
  return s;
}

// Walks to the label `name`; null when it is absent, otherwise the place of its value.
const char* FindValue(std::string_view packed, std::string_view name) {
  if (name.empty()) return nullptr;
  const char* p = packed.data();
  const char* end = p + packed.size();
  const auto first = static_cast<uint8_t>(name[0]);
  while (p != end) {
    size_t n = TakeLength(p);
    const auto mine = n == 0 ? uint8_t{0} : static_cast<uint8_t>(*p);
    if (mine > first) return nullptr;  // names ascend
    const char* value = p + n;
    if (mine == first && n == name.size() && std::memcmp(p, name.data(), n) == 0) return value;
    size_t value_bytes = TakeLength(value);
    p = value + value_bytes;
  }
  return nullptr;
}

// Length of the common prefix of two ranges of `n` bytes.
size_t CommonPrefix(const char* a, const char* b, size_t n) {
  size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    uint64_t x, y;
    std::memcpy(&x, a + i, 8);
    std::memcpy(&y, b + i, 8);
    if (x != y) return i + static_cast<size_t>(__builtin_ctzll(x ^ y)) / 8;
  }
  while (i < n && a[i] == b[i]) ++i;
  return i;
}

bool IsWordStart(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

bool IsLegacyName(std::string_view name, bool colon) {
  if (name.empty()) return false;
  for (size_t i = 0; i < name.size(); ++i) {
    char c = name[i];
    if (!IsWordStart(c) && !(colon && c == ':') && !(i > 0 && c >= '0' && c <= '9')) return false;
  }
  return true;
}

}  // namespace

void PackLabel(std::string& packed, std::string_view name, std::string_view value) {
  PackString(packed, name);
  PackString(packed, value);
}

size_t LabelsView::size() const {
  size_t n = 0;
  const char* end = packed_.data() + packed_.size();
  for (const char* p = packed_.data(); p != end; ++n) {
    size_t name_bytes = TakeLength(p);
    p += name_bytes;
    size_t value_bytes = TakeLength(p);
    p += value_bytes;
  }
  return n;
}

std::string_view LabelsView::Get(std::string_view name) const {
  const char* value = FindValue(packed_, name);
  return value ? TakeString(value) : std::string_view();
}

bool LabelsView::Has(std::string_view name) const { return FindValue(packed_, name) != nullptr; }

uint64_t LabelsView::Hash() const { return XxHash64(packed_); }

std::string LabelsView::ToString() const {
  std::string out = "{";
  for (const Label& label : *this) {
    if (out.size() > 1) out += ", ";
    out += IsLegacyLabelName(label.name) ? std::string(label.name) : GoQuote(label.name);
    out += '=';
    out += GoQuote(label.value);
  }
  out += '}';
  return out;
}

// Up to the first differing byte both are the same fields; so only the field that holds it needs comparing.
int CompareLabels(LabelsView a, LabelsView b) {
  std::string_view x = a.packed(), y = b.packed();
  size_t shorter = std::min(x.size(), y.size());
  size_t differs = CommonPrefix(x.data(), y.data(), shorter);
  if (differs == shorter) return x.size() < y.size() ? -1 : x.size() > y.size() ? 1 : 0;

  const char* p = x.data();
  for (;;) {
    const char* field = p;
    size_t n = TakeLength(p);
    p += n;
    if (static_cast<size_t>(p - x.data()) > differs) {
      const char* other = y.data() + (field - x.data());
      return TakeString(field) < TakeString(other) ? -1 : 1;
    }
  }
}

Labels Labels::From(const std::vector<std::pair<std::string, std::string>>& pairs) {
  LabelsBuilder builder;
  for (const auto& [name, value] : pairs) builder.Set(name, value);
  return builder.Build();
}

bool IsLegacyLabelName(std::string_view name) { return IsLegacyName(name, false); }
bool IsLegacyMetricName(std::string_view name) { return IsLegacyName(name, true); }
bool IsValidUtf8(std::string_view bytes) { return !bytes.empty() && ValidUtf8(bytes); }

}  // namespace gauntlet
