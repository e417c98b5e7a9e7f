// Reading bits, most significant first: PaddedBytes (a copy that may be read past its end) and BitReader.
//
// Threads: one thread at a time.   Owns: PaddedBytes its copy; BitReader borrows it.

#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

namespace gauntlet::tsdb {

// Eight bytes from bit `pos` on, left-aligned: at least the first 57 bits are valid.
inline uint64_t LoadBits(const uint8_t* data, uint64_t pos) {
  uint64_t word;
  std::memcpy(&word, data + (pos >> 3), 8);
  return __builtin_bswap64(word) << (pos & 7);
}

// `count` (1..64) bits from bit `pos` on, right-aligned.
inline uint64_t LoadBits(const uint8_t* data, uint64_t pos, unsigned count) {
  if (count <= 57) [[likely]]
    return LoadBits(data, pos) >> (64 - count);
  return ((LoadBits(data, pos) >> 32 << 32) | (LoadBits(data, pos + 32) >> 32)) >> (64 - count);
}

// A chunk's bytes followed by kPad zero bytes, so that a decoder may test for the end once a sample instead of once a
// bit. The copy costs some 10 ns for a chunk of the usual size, which stays on the stack.
class PaddedBytes {
 public:
  static constexpr size_t kPad = 40;

  explicit PaddedBytes(std::string_view bytes) : size_(bytes.size()) {
    if (size_ + kPad > sizeof(inline_)) {
      heap_.reset(new uint8_t[size_ + kPad]);
      data_ = heap_.get();
    }
    if (size_ != 0) std::memcpy(data_, bytes.data(), size_);
    std::memset(data_ + size_, 0, kPad);
  }
  PaddedBytes(const PaddedBytes&) = delete;
  PaddedBytes& operator=(const PaddedBytes&) = delete;

  const uint8_t* data() const { return data_; }
  size_t size() const { return size_; }

 private:
  size_t size_;
  uint8_t* data_ = inline_;
  std::unique_ptr<uint8_t[]> heap_;
  uint8_t inline_[2048];
};

// Reads fields of up to 64 bits. Past the end it reads zeros and remembers: test overrun() at the end of a unit.
class BitReader {
 public:
  BitReader(const PaddedBytes& bytes, size_t first_byte)
      : data_(bytes.data()), pos_(first_byte * 8), end_(bytes.size() * 8) {}

  bool overrun() const { return pos_ > end_; }
  uint64_t bits_left() const { return overrun() ? 0 : end_ - pos_; }

  uint64_t position() const { return pos_; }
  void SeekBit(uint64_t pos) { pos_ = pos; }

  // The next 57 bits or more, left-aligned.
  uint64_t Peek() const { return LoadBits(data_, ReadablePosition()); }
  void Skip(unsigned count) { pos_ += count; }
  bool Bit() {
    bool bit = Peek() >> 63;
    pos_ += 1;
    return bit;
  }
  // count is 1..64.
  uint64_t Bits(unsigned count) {
    uint64_t bits = LoadBits(data_, ReadablePosition(), count);
    pos_ += count;
    return bits;
  }
  // Go's varints, at any bit position. A malformed one ends the reader: overrun() becomes true.
  uint64_t Uvarint();
  int64_t Varint() {
    uint64_t u = Uvarint();
    return static_cast<int64_t>(u >> 1) ^ -static_cast<int64_t>(u & 1);
  }

 private:
  uint64_t ReadablePosition() const { return pos_ < end_ ? pos_ : end_; }

  const uint8_t* data_;
  uint64_t pos_, end_;
};

inline uint64_t BitReader::Uvarint() {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 70; shift += 7) {
    uint64_t byte = Bits(8);
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80 && (shift < 63 || byte < 2)) return value;
  }
  pos_ = end_ + 1;
  return 0;
}

}  // namespace gauntlet::tsdb
