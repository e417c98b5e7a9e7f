// BitWriter: appends bits to bytes, most significant first. The bytes are valid after every call; the unused bits of
// the last byte are zero.
//
// Threads: one thread at a time.   Owns: the bytes.

#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace gauntlet::tsdb {

class BitWriter {
 public:
  // Starts with `header_bytes` zero bytes.
  explicit BitWriter(size_t header_bytes) : pos_(header_bytes * 8) {
    Grow(header_bytes + kFirstCapacity);
    std::memset(data_.get(), 0, header_bytes);
  }
  BitWriter(BitWriter&& other) noexcept
      : data_(std::move(other.data_)),
        capacity_(std::exchange(other.capacity_, 0)),
        pos_(std::exchange(other.pos_, 0)) {}
  BitWriter& operator=(BitWriter&& other) noexcept {
    data_ = std::move(other.data_);
    capacity_ = std::exchange(other.capacity_, 0);
    pos_ = std::exchange(other.pos_, 0);
    return *this;
  }

  // Valid until the next call that writes.
  std::string_view bytes() const { return {reinterpret_cast<const char*>(data_.get()), (pos_ + 7) / 8}; }
  size_t memory_bytes() const { return capacity_; }
  uint8_t byte(size_t i) const { return data_[i]; }
  void set_byte(size_t i, uint8_t value) { data_[i] = value; }

  void Bit(bool bit) { Bits(bit, 1); }
  // The `count` (0..64) low bits of `value`.
  void Bits(uint64_t value, unsigned count) {
    if (count == 0) return;
    size_t at = pos_ >> 3;
    if (at + 16 > capacity_) [[unlikely]]
      Grow(2 * capacity_ + 16);
    auto used = static_cast<unsigned>(pos_ & 7);
    value <<= 64 - count;
    // What is used of the current byte, the bits, and zeros up to the end of the eight bytes.
    uint64_t kept = data_[at] & ~(0xffu >> used);
    uint64_t word = __builtin_bswap64(kept << 56 | value >> used);
    std::memcpy(&data_[at], &word, 8);
    if (used + count > 64) data_[at + 8] = static_cast<uint8_t>(value << (64 - used) >> 56);
    pos_ += count;
  }
  // One field behind the other, in one store if they fit.
  void Bits(uint64_t head, unsigned head_bits, uint64_t tail, unsigned tail_bits) {
    if (head_bits + tail_bits <= 64 && tail_bits < 64) [[likely]] {
      Bits(head << tail_bits | tail, head_bits + tail_bits);
    } else {
      Bits(head, head_bits);
      Bits(tail, tail_bits);
    }
  }
  // Go's varints, at any bit position.
  void Uvarint(uint64_t value) {
    for (; value >= 0x80; value >>= 7) Bits(value | 0x80, 8);
    Bits(value, 8);
  }
  void Varint(int64_t value) { Uvarint((static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63)); }

 private:
  static constexpr size_t kFirstCapacity = 64;

  void Grow(size_t capacity) {
    std::unique_ptr<uint8_t[]> bigger(new uint8_t[capacity]);
    std::memset(bigger.get(), 0, capacity);
    if (data_) std::memcpy(bigger.get(), data_.get(), (pos_ + 7) / 8);
    data_ = std::move(bigger);
    capacity_ = capacity;
  }

  std::unique_ptr<uint8_t[]> data_;  // 16 bytes more than needed, so that words may be stored whole
  size_t capacity_ = 0;
  size_t pos_;  // bits written
};

}  // namespace gauntlet::tsdb
