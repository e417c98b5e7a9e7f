// Protobuf fields, read and written in place: no message objects, no copies.
//
// Format:  https://protobuf.dev/programming-guides/encoding/ (groups, which no contract of ours has, are malformed)
// Threads: one thread at a time. A FieldReader borrows its bytes.

#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "base/varint.h"

namespace gauntlet::wire {

// Field number and wire type in one, as on the wire: case VarintKey(1): ...
constexpr uint32_t VarintKey(uint32_t field) { return field << 3; }
constexpr uint32_t Fixed64Key(uint32_t field) { return field << 3 | 1; }
constexpr uint32_t BytesKey(uint32_t field) { return field << 3 | 2; }

inline int64_t ZigZag(uint64_t v) { return static_cast<int64_t>(v >> 1) ^ -static_cast<int64_t>(v & 1); }
inline uint64_t UnZigZag(int64_t v) { return (static_cast<uint64_t>(v) << 1) ^ static_cast<uint64_t>(v >> 63); }

// Walks the fields of one message. A field of a known number and another wire type is one that the caller does not
// know: switch on key() and ignore the rest.
//
//   while (fields.Next()) switch (fields.key()) { case VarintKey(1): time = fields.varint(); break; ... }
//   if (!fields.ok()) ...
class FieldReader {
 public:
  explicit FieldReader(std::string_view message) : bytes_(message) {}

  // False at the end of the message, or where it is malformed: ask ok().
  bool Next() {
    if (bytes_.empty()) return false;
    at_ = bytes_.position();
    uint64_t key;
    if (!bytes_.Uvarint(&key) || key > UINT32_MAX || key < 8) return Malformed();
    key_ = static_cast<uint32_t>(key);
    switch (key_ & 7) {
      case 0:
        return bytes_.Uvarint(&number_) || Malformed();
      case 1:
        return bytes_.Le64(&number_) || Malformed();
      case 2:
        return bytes_.Prefixed(&value_) || Malformed();
      case 5: {
        uint32_t fixed;
        if (!bytes_.Le32(&fixed)) return Malformed();
        number_ = fixed;
        return true;
      }
      default:
        return Malformed();
    }
  }
  bool ok() const { return ok_; }
  // Of the field that Next() found; where it stopped, when malformed.
  const char* position() const { return at_; }
  std::string_view rest() const { return bytes_.rest(); }  // behind that field

  uint32_t key() const { return key_; }
  // REQUIRES: the field is of the kind asked for.
  uint64_t varint() const { return number_; }
  int64_t int64() const { return static_cast<int64_t>(number_); }
  bool boolean() const { return number_ != 0; }
  double number() const { return std::bit_cast<double>(number_); }
  std::string_view bytes() const { return value_; }

 private:
  bool Malformed() {
    ok_ = false;
    return false;
  }

  ByteReader bytes_;
  const char* at_ = nullptr;
  uint64_t number_ = 0;
  std::string_view value_;
  uint32_t key_ = 0;
  bool ok_ = true;
};

// Appending. Like proto3's serializers, Append* write nothing for a default value; Put* always write.

inline void PutBytes(std::string& out, uint32_t field, std::string_view bytes) {
  AppendUvarint(out, BytesKey(field));
  AppendUvarint(out, bytes.size());
  out.append(bytes);
}
inline void PutVarint(std::string& out, uint32_t field, uint64_t v) {
  AppendUvarint(out, VarintKey(field));
  AppendUvarint(out, v);
}
inline void PutDouble(std::string& out, uint32_t field, double v) {
  AppendUvarint(out, Fixed64Key(field));
  char raw[8];
  std::memcpy(raw, &v, 8);
  out.append(raw, 8);
}
// The start of an embedded message of `size` bytes, which the caller appends.
inline void PutHeader(std::string& out, uint32_t field, size_t size) {
  AppendUvarint(out, BytesKey(field));
  AppendUvarint(out, size);
}
inline void AppendBytes(std::string& out, uint32_t field, std::string_view bytes) {
  if (!bytes.empty()) PutBytes(out, field, bytes);
}
inline void AppendVarintField(std::string& out, uint32_t field, uint64_t v) {
  if (v != 0) PutVarint(out, field, v);
}
// -0.0 is not a default.
inline void AppendDouble(std::string& out, uint32_t field, double v) {
  if (std::bit_cast<uint64_t>(v) != 0) PutDouble(out, field, v);
}

// Sizes of the above, for fields below 16 (one byte of key).
inline size_t BytesSize(size_t bytes) { return 1 + UvarintSize(bytes) + bytes; }
inline size_t VarintFieldSize(uint64_t v) { return v == 0 ? 0 : 1 + UvarintSize(v); }

}  // namespace gauntlet::wire
