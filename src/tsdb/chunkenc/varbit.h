// Varbit: integers of which most are 0 or small, in 1 to 72 bits: n ones, a zero, and a field whose width n decides.
//
// Format:  0 | 10 +3 | 110 +6 | 1110 +9 | 11110 +12 | 111110 +18 | 1111110 +25 | 11111110 +56 | 11111111 +64 bits.
//          A signed field of w bits holds -2^(w-1)+1 .. 2^(w-1).
// Upstream: prometheus tsdb/chunkenc/varbit.go

#pragma once

#include <bit>
#include <cstdint>

#include "tsdb/chunkenc/bit_reader.h"
#include "tsdb/chunkenc/bit_writer.h"

namespace gauntlet::tsdb {

inline constexpr uint8_t kVarbitWidths[9] = {0, 3, 6, 9, 12, 18, 25, 56, 64};

// The field behind the prefix; `width` receives its width.
inline uint64_t ReadVarbitField(BitReader& in, unsigned* width) {
  uint64_t word = in.Peek();
  auto ones = static_cast<unsigned>(std::countl_one(word));
  if (ones > 8) ones = 8;
  unsigned prefix = ones < 8 ? ones + 1 : 8;
  *width = kVarbitWidths[ones];
  if (ones == 0) {
    in.Skip(1);
    return 0;
  }
  if (ones < 7) {  // at most 32 bits in all
    in.Skip(prefix + *width);
    return word << prefix >> (64 - *width);
  }
  in.Skip(prefix);
  return in.Bits(*width);
}

inline uint64_t ReadVarbitUint(BitReader& in) {
  unsigned width;
  return ReadVarbitField(in, &width);
}

inline int64_t ReadVarbitInt(BitReader& in) {
  unsigned width;
  uint64_t field = ReadVarbitField(in, &width);
  if (width != 0 && width != 64 && field > uint64_t{1} << (width - 1)) field -= uint64_t{1} << width;
  return static_cast<int64_t>(field);
}

// Writes `value` in the class of `ones` leading ones.
inline void WriteVarbitField(uint64_t value, unsigned ones, BitWriter& out) {
  uint64_t prefix = ones < 8 ? ((uint64_t{1} << ones) - 1) << 1 : 0xff;
  out.Bits(prefix, ones < 8 ? ones + 1 : 8);
  out.Bits(value, kVarbitWidths[ones]);
}

inline void WriteVarbitUint(uint64_t value, BitWriter& out) {
  unsigned ones = 0;
  while (ones < 8 && value >> kVarbitWidths[ones] != 0) ++ones;
  WriteVarbitField(value, ones, out);
}

inline void WriteVarbitInt(int64_t value, BitWriter& out) {
  auto fits = [value](unsigned width) {
    if (width == 0) return value == 0;
    return value > -(int64_t{1} << (width - 1)) && value <= int64_t{1} << (width - 1);
  };
  unsigned ones = 0;
  while (ones < 8 && !fits(kVarbitWidths[ones])) ++ones;
  WriteVarbitField(static_cast<uint64_t>(value), ones, out);
}

}  // namespace gauntlet::tsdb
