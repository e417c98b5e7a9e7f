// BitWriter: appends bits to bytes, most significant first. The bytes are valid after every call; the unused bits of
// the last byte are zero.
//
// Threads: one thread at a time.   Owns: the bytes.

#pragma once

#include <cstdint>
#include <string>
#include <utility>

namespace gauntlet::tsdb {

class BitWriter {
 public:
  // Starts with `header_bytes` zero bytes.
  explicit BitWriter(size_t header_bytes) : bytes_(header_bytes, '\0') {}

  const std::string& bytes() const { return bytes_; }
  std::string Release() { return std::exchange(bytes_, {}); }
  uint8_t byte(size_t i) const { return static_cast<uint8_t>(bytes_[i]); }
  void set_byte(size_t i, uint8_t value) { bytes_[i] = static_cast<char>(value); }

  void Bit(bool bit) { Bits(bit, 1); }
  // The `count` (0..64) low bits of `value`.
  void Bits(uint64_t value, unsigned count) {
    if (count == 0) return;
    value <<= 64 - count;
    if (free_ > 0) {
      bytes_.back() = static_cast<char>(static_cast<uint8_t>(bytes_.back()) | (value >> (64 - free_)));
      if (count <= free_) {
        free_ -= count;
        return;
      }
      value <<= free_;
      count -= free_;
      free_ = 0;
    }
    unsigned whole = (count + 7) / 8;
    char out[8];
    for (unsigned i = 0; i < whole; ++i) out[i] = static_cast<char>(value >> (56 - 8 * i));
    bytes_.append(out, whole);
    free_ = whole * 8 - count;
  }
  // Go's varints, at any bit position.
  void Uvarint(uint64_t value) {
    for (; value >= 0x80; value >>= 7) Bits(value | 0x80, 8);
    Bits(value, 8);
  }
  void Varint(int64_t value) { Uvarint((static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63)); }

 private:
  std::string bytes_;
  unsigned free_ = 0;  // unused bits of the last byte
};

}  // namespace gauntlet::tsdb
