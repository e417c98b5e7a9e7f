// Where a decoder of XOR chunks stands between two samples, and its moves: shared by the decoder of one chunk (xor.cc)
// and that of several side by side (xor_lanes.cc).
//
// Threads: one thread at a time.

#pragma once

#include <cstdint>
#include <string_view>

#include "tsdb/chunkenc/bit_reader.h"

namespace gauntlet::tsdb {

// What stands before the bits: the first sample, and how far the second one is.
struct XorStart {
  uint16_t count = 0;
  int64_t t = 0;
  uint64_t value = 0, delta = 0;
  std::string_view bits;
};

// False when it is cut off, or when the bits are too few for the count.
bool ReadXorStart(std::string_view chunk, XorStart* out);

struct XorState {
  const uint8_t* data;  // readable for some bytes past the end, see PaddedBytes
  uint64_t pos, end;    // bits
  uint64_t t, delta, value;
  unsigned trailing = 0, length = 64;
  uint64_t deltas = 0;  // all of them, or-ed: tells whether time can have gone backwards
};

// Sign-extends `bits` of an n-bit delta of delta, whose range is -2^(n-1)+1 .. 2^(n-1).
template <unsigned n>
uint64_t ExtendDelta(uint64_t bits) {
  return bits > (uint64_t{1} << (n - 1)) ? bits - (uint64_t{1} << n) : bits;
}

// A delta of delta that is not 0 (its first bit is 1). `word`: the bits from s.pos on.
inline void ReadDeltaOfDelta(uint64_t word, XorState& s) {
  if (!(word >> 62 & 1)) {
    s.delta += ExtendDelta<14>(word << 2 >> 50);
    s.pos += 16;
  } else if (!(word >> 61 & 1)) {
    s.delta += ExtendDelta<17>(word << 3 >> 47);
    s.pos += 20;
  } else if (!(word >> 60 & 1)) {
    s.delta += ExtendDelta<20>(word << 4 >> 44);
    s.pos += 24;
  } else {
    s.delta += LoadBits(s.data, s.pos + 4, 64);
    s.pos += 68;
  }
  s.deltas |= s.delta;
}

// False when the window is malformed. `word`: the bits from s.pos on.
inline bool ReadXorValue(uint64_t word, XorState& s) {
  if (!(word >> 63)) {
    s.pos += 1;
    return true;
  }
  if (word >> 62 & 1) {
    unsigned leading = word << 2 >> 59, length = word << 7 >> 58;
    s.length = length ? length : 64;
    if (leading + s.length > 64) [[unlikely]]
      return false;
    s.trailing = 64 - leading - s.length;
    s.pos += 13;
  } else {
    s.pos += 2;
  }
  s.value ^= LoadBits(s.data, s.pos, s.length) << s.trailing;
  s.pos += s.length;
  return true;
}

// The next sample but for its value's bits, which follow: moves s.t on. Returns the bits from s.pos on.
inline uint64_t ReadXorTime(XorState& s) {
  uint64_t word = LoadBits(s.data, s.pos);
  if (!(word >> 63)) {
    s.pos += 1;
    word <<= 1;
  } else {
    ReadDeltaOfDelta(word, s);
    word = LoadBits(s.data, s.pos);
  }
  s.t += s.delta;
  return word;
}

// Where a decoder stands before the second sample, of which the chunk has no delta of delta.
inline XorState StartXor(const XorStart& start, const uint8_t* data, uint64_t pos) {
  XorState s{data, pos, pos + start.bits.size() * 8, static_cast<uint64_t>(start.t), start.delta, start.value};
  s.t += s.delta;
  s.deltas = s.delta;
  return s;
}

}  // namespace gauntlet::tsdb
