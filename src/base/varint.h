// Varints (Go's encoding/binary and protobuf: little-endian base 128; signed ones zigzag) and a bounds-checked reader.
//
// Threads: ByteReader is for one thread at a time; it borrows its bytes.

#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace gauntlet {

inline void AppendUvarint(std::string& out, uint64_t v) {
  while (v >= 0x80) {
    out.push_back(static_cast<char>(v | 0x80));
    v >>= 7;
  }
  out.push_back(static_cast<char>(v));
}

inline void AppendVarint(std::string& out, int64_t v) {
  AppendUvarint(out, (static_cast<uint64_t>(v) << 1) ^ static_cast<uint64_t>(v >> 63));
}

inline size_t UvarintSize(uint64_t v) { return (static_cast<size_t>(63 - __builtin_clzll(v | 1)) * 9 + 73) / 64; }

// Reads from the front of a byte range. Every call returns false, and changes nothing it promised, when bytes are
// missing or malformed; a caller may chain calls and test once.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : p_(bytes.data()), end_(p_ + bytes.size()) {}

  bool empty() const { return p_ == end_; }
  size_t left() const { return static_cast<size_t>(end_ - p_); }
  std::string_view rest() const { return {p_, left()}; }
  const char* position() const { return p_; }

  bool Uvarint(uint64_t* v) {
    if (p_ != end_ && static_cast<uint8_t>(*p_) < 0x80) {
      *v = static_cast<uint8_t>(*p_++);
      return true;
    }
    return LongUvarint(v);
  }
  bool Varint(int64_t* v) {
    uint64_t u;
    if (!Uvarint(&u)) return false;
    *v = static_cast<int64_t>(u >> 1) ^ -static_cast<int64_t>(u & 1);
    return true;
  }
  bool Bytes(size_t n, std::string_view* bytes) {
    if (left() < n) return false;
    *bytes = {p_, n};
    p_ += n;
    return true;
  }
  // A uvarint length and as many bytes.
  bool Prefixed(std::string_view* bytes) {
    uint64_t n;
    return Uvarint(&n) && n <= left() && Bytes(n, bytes);
  }
  bool Skip(size_t n) {
    if (left() < n) return false;
    p_ += n;
    return true;
  }
  bool U8(uint8_t* v) { return Fixed(v); }
  bool Le32(uint32_t* v) { return Fixed(v); }
  bool Le64(uint64_t* v) { return Fixed(v); }
  bool Be16(uint16_t* v) { return Fixed(v) && (*v = __builtin_bswap16(*v), true); }
  bool Be32(uint32_t* v) { return Fixed(v) && (*v = __builtin_bswap32(*v), true); }
  bool Be64(uint64_t* v) { return Fixed(v) && (*v = __builtin_bswap64(*v), true); }

 private:
  bool LongUvarint(uint64_t* v) {
    uint64_t result = 0;
    const char* p = p_;
    for (int shift = 0; shift < 64 && p != end_; shift += 7) {
      auto byte = static_cast<uint8_t>(*p++);
      if (shift == 63 && byte > 1) return false;
      result |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) {
        *v = result;
        p_ = p;
        return true;
      }
    }
    return false;
  }
  template <typename T>
  bool Fixed(T* v) {
    if (left() < sizeof(T)) return false;
    std::memcpy(v, p_, sizeof(T));
    p_ += sizeof(T);
    return true;
  }

  const char* p_;
  const char* end_;
};

}  // namespace gauntlet
