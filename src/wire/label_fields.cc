// A label of ordinary size is, in bytes: 0x0a L, 0x0a N name, 0x12 V value, with L = N + V + 4 and all three below 128.
// The fast way recognises exactly that and copies in blocks of 16 that may run over, which is why it wants slack behind
// the label in the input and behind the output.
#include "wire/label_fields.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/check.h"
#include "wire/fields.h"

namespace gauntlet::wire {
namespace {

constexpr size_t kSlack = 32;
constexpr size_t kLabelStringMax = (1 << 24) - 1;  // what the packing can say

// The first 8 bytes as a number in byte order, zeros behind a shorter string. Reads 8 bytes of any string but "".
uint64_t Prefix(std::string_view s) {
  if (s.empty()) return 0;
  uint64_t v;
  std::memcpy(&v, s.data(), 8);
  if constexpr (std::endian::native == std::endian::little) v = __builtin_bswap64(v);
  return s.size() >= 8 ? v : v & ~uint64_t{0} << (64 - 8 * s.size());
}

// Copies without running over: short strings, as names and values are, by two loads that may overlap.
char* Copy(char* to, const char* from, size_t n) {
  if (n > 32) {
    std::memcpy(to, from, n);
  } else if (n >= 16) {
    std::memcpy(to, from, 16);
    std::memcpy(to + n - 16, from + n - 16, 16);
  } else if (n >= 8) {
    std::memcpy(to, from, 8);
    std::memcpy(to + n - 8, from + n - 8, 8);
  } else if (n >= 4) {
    std::memcpy(to, from, 4);
    std::memcpy(to + n - 4, from + n - 4, 4);
  } else {
    for (size_t i = 0; i < n; ++i) to[i] = from[i];
  }
  return to + n;
}

char* WriteHeader(char* p, uint32_t key, size_t size) {
  *p++ = static_cast<char>(key);
  for (; size >= 0x80; size >>= 7) *p++ = static_cast<char>(size | 0x80);
  *p++ = static_cast<char>(size);
  return p;
}

char* WriteString(char* p, uint32_t key, std::string_view s) {
  p = WriteHeader(p, key, s.size());
  return Copy(p, s.data(), s.size());
}

size_t LabelBytes(const Label& label) {
  return (label.name.empty() ? 0 : BytesSize(label.name.size())) +
         (label.value.empty() ? 0 : BytesSize(label.value.size()));
}

// Copies n <= 127 bytes, and up to 31 more behind them.
void CopyOver(char* to, const char* from, size_t n) {
  std::memcpy(to, from, 16);
  std::memcpy(to + 16, from + 16, 16);
  if (n > kSlack) [[unlikely]]
    std::memcpy(to + 32, from + 32, n - 32);
}

}  // namespace

const char* LabelFields::TakeRun(const char* p, const char* end, const char* readable) {
  while (p != end && *p == BytesKey(1)) {
    auto byte = [](const char* at) { return static_cast<uint8_t>(*at); };
    if (end - p < 6) break;
    const size_t length = byte(p + 1);
    if (length >= 128 || length < 4 || static_cast<size_t>(end - p) < 2 + length ||
        static_cast<size_t>(readable - p) < 2 + length + kSlack)
      break;
    std::string_view name(p + 4, byte(p + 3));
    size_t value_size = length - 4 - name.size();  // wraps when it does not fit
    if (byte(p + 2) != BytesKey(1) || name.size() > length - 4 || byte(p + 4 + name.size()) != BytesKey(2) ||
        byte(p + 5 + name.size()) != value_size || value_size == 0)
      break;
    // Eight bytes at once: the name before is in front of this one, so it has slack as well.
    uint64_t before = Prefix(last_), now = Prefix(name);
    if (before > now || (before == now && last_ >= name && size_ != 0)) [[unlikely]]
      sorted_ = false;
    last_ = name;
    Reserve(2 + name.size() + value_size + kSlack);
    char* out = buffer_.get() + size_;
    *out++ = static_cast<char>(name.size());
    CopyOver(out, name.data(), name.size());
    out += name.size();
    *out++ = static_cast<char>(value_size);
    CopyOver(out, name.data() + name.size() + 2, value_size);
    size_ += 2 + name.size() + value_size;
    p += 2 + length;
  }
  return p;
}

bool LabelFields::Take(std::string_view label) {
  std::string_view name, value;
  FieldReader fields(label);
  while (fields.Next()) {
    if (fields.key() == BytesKey(1)) name = fields.bytes();
    if (fields.key() == BytesKey(2)) value = fields.bytes();
  }
  if (!fields.ok() || name.size() > kLabelStringMax || value.size() > kLabelStringMax) return false;
  if (!value.empty()) Append(name, value);
  return true;
}

void LabelFields::Append(std::string_view name, std::string_view value) {
  if (size_ != 0 && last_ >= name) sorted_ = false;
  last_ = name;
  Reserve(8 + name.size() + value.size());
  char* out = buffer_.get() + size_;
  for (std::string_view s : {name, value}) {
    if (s.size() < 255) {
      *out++ = static_cast<char>(s.size());
    } else {
      *out++ = static_cast<char>(255);
      for (int shift = 0; shift < 24; shift += 8) *out++ = static_cast<char>(s.size() >> shift);
    }
    if (!s.empty()) std::memcpy(out, s.data(), s.size());
    out += s.size();
  }
  size_ = static_cast<size_t>(out - buffer_.get());
}

void LabelFields::Grow(size_t more) {
  size_t capacity = std::max<size_t>({512, capacity_ * 2, size_ + more});
  std::unique_ptr<char[]> buffer(new char[capacity]);
  if (size_ != 0) std::memcpy(buffer.get(), buffer_.get(), size_);
  buffer_ = std::move(buffer);
  capacity_ = capacity;
}

void LabelFields::Sort() {
  std::string packed(buffer_.get(), size_);
  std::vector<Label> labels;
  for (const Label& label : LabelsView(packed)) labels.push_back(label);
  std::sort(labels.begin(), labels.end(), [](const Label& a, const Label& b) {
    return a.name != b.name ? a.name < b.name : a.name.data() < b.name.data();  // equal names stay in their order
  });
  Clear();
  for (size_t i = 0; i < labels.size(); ++i)
    if (i + 1 == labels.size() || labels[i].name != labels[i + 1].name) Append(labels[i].name, labels[i].value);
}

size_t LabelFieldsSize(LabelsView labels) {
  size_t bytes = 0;
  for (const Label& label : labels) bytes += BytesSize(LabelBytes(label));
  return bytes;
}

void AppendLabelFields(std::string& out, LabelsView labels, size_t bytes) {
  size_t at = out.size();
  out.resize(at + bytes);
  char* p = out.data() + at;
  for (const Label& label : labels) {
    p = WriteHeader(p, BytesKey(1), LabelBytes(label));
    if (!label.name.empty()) p = WriteString(p, BytesKey(1), label.name);
    if (!label.value.empty()) p = WriteString(p, BytesKey(2), label.value);
  }
  GN_DCHECK(p == out.data() + out.size());
}

}  // namespace gauntlet::wire
