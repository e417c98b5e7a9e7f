// XorValue: the value half of Gorilla's coding: a double as its xor with the one before, within a window of
// significant bits that is sent when it changes. Every float in every chunk format but XOR2 is written so.
//
// Format:  0 same | 10 bits in the last window | 11 leading zeros:5 length:6 (0 = 64) bits
// Upstream: prometheus tsdb/chunkenc/xor.go xorWrite, xorRead

#pragma once

#include <bit>
#include <cstdint>

#include "tsdb/chunkenc/bit_reader.h"
#include "tsdb/chunkenc/bit_writer.h"

namespace gauntlet::tsdb {

// The window of one coded value. One thread at a time.
struct XorWindow {
  static constexpr uint8_t kUnset = 0xff;
  uint8_t leading = kUnset, trailing = 0;

  // Whether the significant bits of `delta` (not 0) lie within the window.
  bool Holds(uint64_t delta) const {
    return leading != kUnset && Leading(delta) >= leading && std::countr_zero(delta) >= trailing;
  }
  // Write what a code's `head` of `head_bits` (at most 28) says, then `delta` within the window; the second one sets
  // the window to fit `delta` (not 0) and writes it, too. `delta` has no bits outside.
  void WriteWithin(uint64_t head, unsigned head_bits, uint64_t delta, BitWriter& out) const {
    out.Bits(head, head_bits, delta >> trailing, 64u - leading - trailing);
  }
  void WriteNew(uint64_t head, unsigned head_bits, uint64_t delta, BitWriter& out) {
    leading = static_cast<uint8_t>(Leading(delta));
    trailing = static_cast<uint8_t>(std::countr_zero(delta));
    uint64_t window = uint64_t{leading} << 6 | ((64u - leading - trailing) & 63);
    WriteWithin(head << 11 | window, head_bits + 11, delta, out);
  }
  static int Leading(uint64_t delta) { return std::countl_zero(delta) < 32 ? std::countl_zero(delta) : 31; }
};

class XorValue {
 public:
  explicit XorValue(double first = 0) : bits_(std::bit_cast<uint64_t>(first)) {}

  double value() const { return std::bit_cast<double>(bits_); }
  // Sets the value without writing it: the first one of a chunk stands there whole.
  void Set(double v) { bits_ = std::bit_cast<uint64_t>(v); }

  // Writes a `head` of `head_bits` (at most 24) and the value behind it.
  void Write(double v, BitWriter& out, uint64_t head = 0, unsigned head_bits = 0) {
    uint64_t bits = std::bit_cast<uint64_t>(v), delta = bits ^ bits_;
    bits_ = bits;
    if (delta == 0) {
      out.Bits(head << 1, head_bits + 1);
    } else if (window_.Holds(delta)) {
      window_.WriteWithin(head << 2 | 0b10, head_bits + 2, delta, out);
    } else {
      window_.WriteNew(head << 2 | 0b11, head_bits + 2, delta, out);
    }
  }

  // False when the bits are malformed. Before any window was sent, "the last window" is all 64 bits.
  bool Read(BitReader& in) {
    uint64_t word = in.Peek();
    if (word >> 63 == 0) {
      in.Skip(1);
      return true;
    }
    if (word >> 62 & 1) {
      unsigned leading = word << 2 >> 59, length = word << 7 >> 58;
      if (length == 0) length = 64;
      if (leading + length > 64) return false;
      window_ = {static_cast<uint8_t>(leading), static_cast<uint8_t>(64 - leading - length)};
      in.Skip(13);
    } else {
      if (window_.leading == XorWindow::kUnset) window_ = {0, 0};
      in.Skip(2);
    }
    bits_ ^= in.Bits(64u - window_.leading - window_.trailing) << window_.trailing;
    return true;
  }

 private:
  uint64_t bits_;
  XorWindow window_;
};

}  // namespace gauntlet::tsdb
