// Decoding goes by bit position, not by a window of bits held in a register: as long as the branches are predicted, the
// only thing one sample waits for of the one before is an addition to the position, and the loads run ahead. Runs of
// samples in which neither the interval nor the value changes are two zero bits each; they are counted with one
// instruction and written eight at a time.

#include "tsdb/chunkenc/xor.h"

#include <bit>

#include "base/check.h"
#include "base/varint.h"
#include "tsdb/chunkenc/bit_reader.h"
#include "tsdb/chunkenc/columns.h"

namespace gauntlet::tsdb {
namespace {

// Where the decoder stands; kept in locals of the loop by inlining.
struct XorState {
  const uint8_t* data;
  uint64_t pos, end;  // bits
  uint64_t t, delta, value;
  unsigned trailing = 0, length = 64;
  uint64_t deltas = 0;  // all of them, or-ed: tells whether time can have gone backwards
};

// Sign-extends `bits` of an n-bit delta of delta, whose range is -2^(n-1)+1 .. 2^(n-1).
template <unsigned n>
uint64_t Extend(uint64_t bits) {
  return bits > (uint64_t{1} << (n - 1)) ? bits - (uint64_t{1} << n) : bits;
}

// A delta of delta that is not 0 (its first bit is 1).
inline void ReadDeltaOfDelta(uint64_t word, XorState& s) {
  if (!(word >> 62 & 1)) {
    s.delta += Extend<14>(word << 2 >> 50);
    s.pos += 16;
  } else if (!(word >> 61 & 1)) {
    s.delta += Extend<17>(word << 3 >> 47);
    s.pos += 20;
  } else if (!(word >> 60 & 1)) {
    s.delta += Extend<20>(word << 4 >> 44);
    s.pos += 24;
  } else {
    s.delta += LoadBits(s.data, s.pos + 4, 64);
    s.pos += 68;
  }
  s.deltas |= s.delta;
}

// False when the window is malformed.
inline bool ReadValue(uint64_t word, XorState& s) {
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

// Fills sample i and those after it that repeat interval and value; returns how many there are, at most count - i.
// May write up to eight samples, but none from `count` on.
inline size_t FillRun(uint64_t word, XorState& s, size_t i, size_t count, int64_t* times, double* values) {
  size_t run = static_cast<size_t>(std::countl_zero(word | 0xff)) / 2;
  if (run > count - i) run = count - i;
  double v = std::bit_cast<double>(s.value);
  size_t filled = 0;
  uint64_t t = s.t;
  if (i + 8 <= count) {
    for (; filled < 8; ++filled) {
      t += s.delta;
      times[i + filled] = static_cast<int64_t>(t);
      values[i + filled] = v;
    }
  }
  for (; filled < run; ++filled) {
    t += s.delta;
    times[i + filled] = static_cast<int64_t>(t);
    values[i + filled] = v;
  }
  s.t += s.delta * run;
  s.pos += 2 * run;
  return run;
}

// Samples 1 .. count - 1, until one is later than maxt. Returns how many samples there are then, 0 when malformed.
size_t ReadSamples(XorState& state, size_t count, int64_t maxt, int64_t* times, double* values) {
  XorState s = state;
  s.t += s.delta;
  s.deltas = s.delta;
  times[1] = static_cast<int64_t>(s.t);
  if (!ReadValue(LoadBits(s.data, s.pos), s)) return 0;
  values[1] = std::bit_cast<double>(s.value);
  size_t i = 2;
  while (i < count && s.pos <= s.end && static_cast<int64_t>(s.t) <= maxt) {
    uint64_t word = LoadBits(s.data, s.pos);
    if (word >> 62 == 0) {
      i += FillRun(word, s, i, count, times, values);
      continue;
    }
    if (!(word >> 63)) {
      s.pos += 1;
      word <<= 1;
    } else {
      ReadDeltaOfDelta(word, s);
      word = LoadBits(s.data, s.pos);
    }
    s.t += s.delta;
    times[i] = static_cast<int64_t>(s.t);
    if (!ReadValue(word, s)) return 0;
    values[i++] = std::bit_cast<double>(s.value);
  }
  state = s;
  return s.pos <= s.end ? i : 0;
}

}  // namespace

Status DecodeXor(std::string_view bytes, int64_t maxt_ms, Samples* out) {
  ByteReader header(bytes);
  uint16_t count = 0;
  if (!header.Be16(&count)) return MalformedChunk(Encoding::kXor, 0, bytes.size());
  if (count == 0) return Status();
  int64_t t;
  uint64_t value, delta = 0;
  if (!header.Varint(&t) || !header.Be64(&value)) return MalformedChunk(Encoding::kXor, count, bytes.size());
  if (count > 1 && !header.Uvarint(&delta)) return MalformedChunk(Encoding::kXor, count, bytes.size());
  // One bit for the second value and two for each further sample, or the count is a lie not worth memory.
  if (count > 1 && header.left() * 8 < 2 * size_t{count} - 3)
    return MalformedChunk(Encoding::kXor, count, bytes.size());

  size_t base = out->size();
  out->times_ms.resize(base + count);
  out->values.resize(base + count);
  int64_t* times = out->times_ms.data() + base;
  double* values = out->values.data() + base;
  times[0] = t;
  values[0] = std::bit_cast<double>(value);
  size_t got = 1;
  bool unordered = false;
  if (count > 1 && t <= maxt_ms) {
    PaddedBytes padded(header.rest());
    XorState state{padded.data(), 0, padded.size() * 8, static_cast<uint64_t>(t), delta, value};
    got = ReadSamples(state, count, maxt_ms, times, values);
    if (got == 0) return MalformedChunk(Encoding::kXor, count, bytes.size());
    unordered = MayGoBack(state.deltas, t);
  }
  out->times_ms.resize(base + got);
  out->values.resize(base + got);
  if (unordered) KeepAscending(base, out);
  return Status();
}

std::string XorAppender::Release() {
  std::string chunk(bits_.bytes());
  *this = XorAppender();
  return chunk;
}

void XorAppender::Append(int64_t t_ms, double v) {
  auto fits = [](int64_t x, unsigned n) { return x >= -((int64_t{1} << (n - 1)) - 1) && x <= int64_t{1} << (n - 1); };
  GN_CHECK(count_ != UINT16_MAX);
  uint64_t delta = static_cast<uint64_t>(t_ms) - static_cast<uint64_t>(t_);
  if (count_ == 0) {
    bits_.Varint(t_ms);
    bits_.Bits(std::bit_cast<uint64_t>(v), 64);
    value_.Set(v);
    delta = 0;
  } else if (count_ == 1) {
    bits_.Uvarint(delta);
    value_.Write(v, bits_);
  } else {
    auto dod = static_cast<int64_t>(delta - delta_);
    auto dod_bits = static_cast<uint64_t>(dod);
    if (dod == 0) {
      value_.Write(v, bits_, 0, 1);
    } else if (fits(dod, 14)) {
      value_.Write(v, bits_, 0b10 << 14 | (dod_bits & 0x3fff), 16);
    } else if (fits(dod, 17)) {
      value_.Write(v, bits_, 0b110 << 17 | (dod_bits & 0x1ffff), 20);
    } else if (fits(dod, 20)) {
      value_.Write(v, bits_, 0b1110 << 20 | (dod_bits & 0xfffff), 24);
    } else {
      bits_.Bits(0b1111, 4);
      bits_.Bits(dod_bits, 64);
      value_.Write(v, bits_);
    }
  }
  t_ = t_ms;
  delta_ = delta;
  ++count_;
  bits_.set_byte(0, static_cast<uint8_t>(count_ >> 8));
  bits_.set_byte(1, static_cast<uint8_t>(count_));
}

}  // namespace gauntlet::tsdb
