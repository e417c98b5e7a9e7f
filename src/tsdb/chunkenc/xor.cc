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
#include "tsdb/chunkenc/xor_state.h"

namespace gauntlet::tsdb {
namespace {

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
  XorState s = state;  // kept in registers
  times[1] = static_cast<int64_t>(s.t);
  if (!ReadXorValue(LoadBits(s.data, s.pos), s)) return 0;
  values[1] = std::bit_cast<double>(s.value);
  size_t i = 2;
  while (i < count && s.pos <= s.end && static_cast<int64_t>(s.t) <= maxt) {
    uint64_t word = LoadBits(s.data, s.pos);
    if (word >> 62 == 0) {
      i += FillRun(word, s, i, count, times, values);
      continue;
    }
    word = ReadXorTime(s);
    times[i] = static_cast<int64_t>(s.t);
    if (!ReadXorValue(word, s)) return 0;
    values[i++] = std::bit_cast<double>(s.value);
  }
  state = s;
  return s.pos <= s.end ? i : 0;
}

}  // namespace

bool ReadXorStart(std::string_view chunk, XorStart* out) {
  ByteReader header(chunk);
  *out = XorStart();
  if (!header.Be16(&out->count)) return false;
  if (out->count == 0) return true;
  if (!header.Varint(&out->t) || !header.Be64(&out->value)) return false;
  if (out->count == 1) return true;
  if (!header.Uvarint(&out->delta)) return false;
  out->bits = header.rest();
  // One bit for the second value and two for each further sample, or the count is a lie not worth memory.
  return out->bits.size() * 8 >= 2 * size_t{out->count} - 3;
}

Status DecodeXor(std::string_view bytes, int64_t maxt_ms, Samples* out) {
  XorStart start;
  if (!ReadXorStart(bytes, &start)) return MalformedChunk(Encoding::kXor, start.count, bytes.size());
  if (start.count == 0) return Status();
  size_t base = out->size();
  out->times_ms.resize(base + start.count);
  out->values.resize(base + start.count);
  int64_t* times = out->times_ms.data() + base;
  double* values = out->values.data() + base;
  times[0] = start.t;
  values[0] = std::bit_cast<double>(start.value);
  size_t got = 1;
  bool unordered = false;
  if (start.count > 1 && start.t <= maxt_ms) {
    PaddedBytes padded(start.bits);
    XorState state = StartXor(start, padded.data(), 0);
    got = ReadSamples(state, start.count, maxt_ms, times, values);
    if (got == 0) return MalformedChunk(Encoding::kXor, start.count, bytes.size());
    unordered = MayGoBack(state.deltas, start.t);
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
