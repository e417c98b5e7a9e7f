// Decoding follows xor.cc: by bit position, with runs of unchanged samples taken at once.

#include "tsdb/chunkenc/xor2.h"

#include <algorithm>
#include <bit>

#include "base/check.h"
#include "base/varint.h"
#include "model/stale.h"
#include "tsdb/chunkenc/bit_reader.h"
#include "tsdb/chunkenc/columns.h"

namespace gauntlet::tsdb {
namespace {

struct Xor2State {
  const uint8_t* data;
  uint64_t pos, end;         // bits
  uint64_t t, delta, value;  // value: the last that was not a stale marker
  unsigned trailing = 0, length = 64;
  uint64_t deltas = 0;  // all of them, or-ed
};

inline void ReadWindowBits(Xor2State& s) {
  s.value ^= LoadBits(s.data, s.pos, s.length) << s.trailing;
  s.pos += s.length;
}

// The window in the 11 bits at the top of `word`, then the bits. False when malformed.
inline bool ReadNewWindow(uint64_t word, Xor2State& s) {
  unsigned leading = word >> 59, length = word << 5 >> 58;
  s.length = length ? length : 64;
  if (leading + s.length > 64) [[unlikely]]
    return false;
  s.trailing = 64 - leading - s.length;
  s.pos += 11;
  ReadWindowBits(s);
  return true;
}

// V of the format. False when malformed.
inline bool ReadValue(Xor2State& s, double* v) {
  uint64_t word = LoadBits(s.data, s.pos);
  if (!(word >> 63)) {
    s.pos += 1;
  } else if (!(word >> 62 & 1)) {
    s.pos += 2;
    ReadWindowBits(s);
  } else if (word >> 61 & 1) {
    s.pos += 3;
    *v = StaleNaN();
    return true;
  } else {
    s.pos += 3;
    if (!ReadNewWindow(word << 3, s)) return false;
  }
  *v = std::bit_cast<double>(s.value);
  return true;
}

// One sample from index 2 on, without its start time. `word` are the bits at s.pos. False when malformed.
inline bool ReadSample(uint64_t word, Xor2State& s, double* v) {
  if (word >> 62 != 3 || word >> 59 == 31) {  // the interval repeats
    s.t += s.delta;
    if (word >> 62 == 3) {
      s.pos += 5;
      *v = StaleNaN();
      return true;
    }
    if (!(word >> 63)) {
      s.pos += 1;
    } else {
      s.pos += 3;
      if (!(word >> 61 & 1)) {
        ReadWindowBits(s);
      } else if (!ReadNewWindow(word << 3, s)) {
        return false;
      }
    }
    *v = std::bit_cast<double>(s.value);
    return true;
  }
  if (!(word >> 61 & 1)) {
    s.delta += static_cast<uint64_t>(static_cast<int64_t>(word << 3) >> 51);
    s.pos += 16;
  } else if (!(word >> 60 & 1)) {
    s.delta += static_cast<uint64_t>(static_cast<int64_t>(word << 4) >> 44);
    s.pos += 24;
  } else {
    s.delta += LoadBits(s.data, s.pos + 5, 64);
    s.pos += 69;
  }
  s.deltas |= s.delta;
  s.t += s.delta;
  return ReadValue(s, v);
}

// Samples from 2 on up to `until` that have no start time of their own. Returns the index reached, 0 when malformed.
size_t ReadPlain(Xor2State& state, size_t until, int64_t maxt, int64_t* times, double* values) {
  Xor2State s = state;
  size_t i = 2;
  while (i < until && s.pos <= s.end && static_cast<int64_t>(s.t) <= maxt) {
    uint64_t word = LoadBits(s.data, s.pos);
    if (!(word >> 63)) {
      auto run = static_cast<size_t>(std::countl_zero(word | 0x7f));
      if (run > until - i) run = until - i;
      double v = std::bit_cast<double>(s.value);
      for (size_t k = 0; k < run; ++k) {
        s.t += s.delta;
        times[i + k] = static_cast<int64_t>(s.t);
        values[i + k] = v;
      }
      i += run;
      s.pos += run;
      continue;
    }
    if (!ReadSample(word, s, &values[i])) return 0;
    times[i++] = static_cast<int64_t>(s.t);
  }
  state = s;
  return s.pos <= s.end ? i : 0;
}

// Where the columns of one chunk go.
struct Target {
  int64_t* times;
  double* values;
  int64_t* starts;  // null when no sample has one
};

// Samples 1 .. count - 1, until one is later than maxt. Returns how many samples there are then, 0 when malformed.
size_t ReadSamples(Xor2State& s, StartTimeReader& start, size_t count, int64_t maxt, const PaddedBytes& bytes,
                   Target target) {
  int64_t last_t = static_cast<int64_t>(s.t);
  auto read_start = [&](size_t i) {
    if (i >= start.change_at()) {
      BitReader in(bytes, 0);
      in.SeekBit(s.pos);
      start.Read(static_cast<uint32_t>(i), target.times[i], last_t, in);
      s.pos = in.position();
    }
    if (target.starts != nullptr) target.starts[i] = start.start_time();
    last_t = target.times[i];
  };
  s.t += s.delta;
  s.deltas = s.delta;
  target.times[1] = static_cast<int64_t>(s.t);
  if (!ReadValue(s, &target.values[1])) return 0;
  read_start(1);
  if (count == 2) return s.pos <= s.end ? 2 : 0;
  size_t plain = count < start.change_at() ? count : start.change_at();
  size_t i = 2;
  if (plain > 2) {
    i = ReadPlain(s, plain, maxt, target.times, target.values);
    if (i == 0) return 0;
    last_t = target.times[i - 1];
    if (target.starts != nullptr) std::fill(target.starts + 2, target.starts + i, start.start_time());
    if (i < plain) return i;
  }
  for (; i < count && s.pos <= s.end && last_t <= maxt; ++i) {
    if (!ReadSample(LoadBits(s.data, s.pos), s, &target.values[i])) return 0;
    target.times[i] = static_cast<int64_t>(s.t);
    read_start(i);
  }
  return s.pos <= s.end ? i : 0;
}

}  // namespace

Status DecodeXor2(std::string_view bytes, int64_t maxt_ms, Samples* out) {
  ByteReader header(bytes);
  uint16_t count = 0;
  uint8_t start_header = 0;
  if (!header.Be16(&count) || !header.U8(&start_header)) return MalformedChunk(Encoding::kXor2, 0, bytes.size());
  if (count == 0) return Status();
  StartTimeReader start(start_header);
  int64_t t, start_difference = 0;
  uint64_t value, delta = 0;
  if (!header.Varint(&t) || !header.Be64(&value) || (start.first_known() && !header.Varint(&start_difference)) ||
      (count > 1 && !header.Uvarint(&delta))) {
    return MalformedChunk(Encoding::kXor2, count, bytes.size());
  }
  // One bit at least for each sample, or the count is a lie not worth memory.
  if (header.left() * 8 < size_t{count} - 1) return MalformedChunk(Encoding::kXor2, count, bytes.size());
  if (start.first_known())
    start.SetFirst(static_cast<int64_t>(static_cast<uint64_t>(t) - static_cast<uint64_t>(start_difference)));

  size_t base = out->size();
  out->times_ms.resize(base + count);
  out->values.resize(base + count);
  if (start.any()) out->start_times_ms.resize(base + count);
  Target target{out->times_ms.data() + base, out->values.data() + base,
                start.any() ? out->start_times_ms.data() + base : nullptr};
  target.times[0] = t;
  target.values[0] = std::bit_cast<double>(value);
  if (start.any()) target.starts[0] = start.start_time();
  size_t got = 1;
  bool unordered = false;
  if (count > 1 && t <= maxt_ms) {
    PaddedBytes padded(header.rest());
    uint64_t baseline = IsStaleNaN(target.values[0]) ? 0 : value;
    Xor2State state{padded.data(), 0, padded.size() * 8, static_cast<uint64_t>(t), delta, baseline};
    got = ReadSamples(state, start, count, maxt_ms, padded, target);
    if (got == 0) return MalformedChunk(Encoding::kXor2, count, bytes.size());
    unordered = MayGoBack(state.deltas, t);
  }
  out->times_ms.resize(base + got);
  out->values.resize(base + got);
  if (start.any()) out->start_times_ms.resize(base + got);
  if (unordered) KeepAscending(base, out);
  return Status();
}

std::string Xor2Appender::Release() {
  std::string chunk(bits_.bytes());
  *this = Xor2Appender();
  return chunk;
}

void Xor2Appender::Append(int64_t start_ms, int64_t t_ms, double v) {
  GN_CHECK(count_ != UINT16_MAX);
  uint64_t delta = static_cast<uint64_t>(t_ms) - static_cast<uint64_t>(t_);
  if (count_ == 0) {
    bits_.Varint(t_ms);
    bits_.Bits(std::bit_cast<uint64_t>(v), 64);
    delta = 0;
  } else if (count_ == 1) {
    bits_.Uvarint(delta);
    WriteValue(0, 0, v);
  } else {
    WriteTimeAndValue(static_cast<int64_t>(delta - delta_), v);
  }
  start_times_.Write(count_, start_ms, t_ms, t_, 2, bits_);
  t_ = t_ms;
  delta_ = delta;
  if (!IsStaleNaN(v)) value_ = std::bit_cast<uint64_t>(v);
  ++count_;
  bits_.set_byte(0, static_cast<uint8_t>(count_ >> 8));
  bits_.set_byte(1, static_cast<uint8_t>(count_));
}

void Xor2Appender::WriteTimeAndValue(int64_t dod, double v) {
  auto dod_bits = static_cast<uint64_t>(dod);
  if (dod == 0) {
    uint64_t changed = std::bit_cast<uint64_t>(v) ^ value_;
    if (IsStaleNaN(v)) {
      bits_.Bits(0b11111, 5);
    } else if (changed == 0) {
      bits_.Bits(0, 1);
    } else if (window_.Holds(changed)) {
      window_.WriteWithin(0b100, 3, changed, bits_);
    } else {
      window_.WriteNew(0b101, 3, changed, bits_);
    }
    return;
  }
  auto fits = [dod](unsigned n) { return dod >= -(int64_t{1} << (n - 1)) && dod < int64_t{1} << (n - 1); };
  if (fits(13)) {
    WriteValue(0b110 << 13 | (dod_bits & 0x1fff), 16, v);
  } else if (fits(20)) {
    WriteValue(0b1110 << 20 | (dod_bits & 0xfffff), 24, v);
  } else {
    bits_.Bits(0b11110, 5);
    bits_.Bits(dod_bits, 64);
    WriteValue(0, 0, v);
  }
}

void Xor2Appender::WriteValue(uint64_t head, unsigned head_bits, double v) {
  uint64_t changed = std::bit_cast<uint64_t>(v) ^ value_;
  if (IsStaleNaN(v)) {
    bits_.Bits(head << 3 | 0b111, head_bits + 3);
  } else if (changed == 0) {
    bits_.Bits(head << 1, head_bits + 1);
  } else if (window_.Holds(changed)) {
    window_.WriteWithin(head << 2 | 0b10, head_bits + 2, changed, bits_);
  } else {
    window_.WriteNew(head << 3 | 0b110, head_bits + 3, changed, bits_);
  }
}

}  // namespace gauntlet::tsdb
