// Start times in a chunk: when the counter behind each sample began to count; 0 = unknown. A chunk that has none of
// them pays nothing but a header byte.
//
// Format:  header byte: bit 7: the first sample has one; low 7 bits: the first sample whose start time differs from the
//          one before (0: none; 127 at the latest). After sample 0: varint t0 - st0. From the first change on, after
//          each sample i: varbit of d(i) = t(i-1) - st(i), then of d(i) - d(i-1).
//          (Upstream's document says plain deltas of st; the code does this.)
// Upstream: prometheus tsdb/chunkenc/st.go, xor2.go

#pragma once

#include <cstdint>

#include "tsdb/chunkenc/bit_reader.h"
#include "tsdb/chunkenc/bit_writer.h"
#include "tsdb/chunkenc/varbit.h"

namespace gauntlet::tsdb {

inline constexpr uint8_t kFirstStartTime = 0x80;
inline constexpr uint8_t kStartTimeChangeMax = 0x7f;

// One thread at a time.
class StartTimeReader {
 public:
  explicit StartTimeReader(uint8_t header)
      : first_known_((header & kFirstStartTime) != 0), change_at_(header & kStartTimeChangeMax) {}

  bool any() const { return first_known_ || change_at_ != 0; }
  // The first sample index (> 0) behind which something stands; UINT32_MAX when none.
  uint32_t change_at() const { return change_at_ != 0 ? change_at_ : UINT32_MAX; }
  int64_t start_time() const { return start_; }

  // Reads what stands behind sample `index`. `t` and `last_t` are its time and the one before.
  void Read(uint32_t index, int64_t t, int64_t last_t, BitReader& in) {
    if (index == 0) {
      if (first_known_) start_ = Minus(t, in.Varint());
    } else if (index >= change_at()) {
      auto d = static_cast<uint64_t>(ReadVarbitInt(in));
      difference_ = index == change_at() ? d : difference_ + d;
      start_ = Minus(last_t, static_cast<int64_t>(difference_));
    }
  }
  // The start time of the first sample, where it was read outside.
  void SetFirst(int64_t start) { start_ = start; }
  bool first_known() const { return first_known_; }

 private:
  static int64_t Minus(int64_t a, int64_t b) {
    return static_cast<int64_t>(static_cast<uint64_t>(a) - static_cast<uint64_t>(b));
  }

  bool first_known_;
  uint32_t change_at_;
  int64_t start_ = 0;
  uint64_t difference_ = 0;
};

// One thread at a time.
class StartTimeWriter {
 public:
  // Writes what stands behind sample `index`; sets bits of the header at byte `header_at`.
  void Write(uint32_t index, int64_t start, int64_t t, int64_t last_t, size_t header_at, BitWriter& out) {
    if (index == 0) {
      if (start != 0) {
        out.Varint(Minus(t, start));
        out.set_byte(header_at, kFirstStartTime);
      }
    } else if (change_at_ != 0 || start != start_ || index == kStartTimeChangeMax) {
      int64_t difference = Minus(last_t, start);
      if (change_at_ == 0) {
        change_at_ = index;
        out.set_byte(header_at, static_cast<uint8_t>(out.byte(header_at) | index));
        WriteVarbitInt(difference, out);
      } else {
        WriteVarbitInt(Minus(difference, difference_), out);
      }
      difference_ = difference;
    }
    start_ = start;
  }

 private:
  static int64_t Minus(int64_t a, int64_t b) {
    return static_cast<int64_t>(static_cast<uint64_t>(a) - static_cast<uint64_t>(b));
  }

  uint32_t change_at_ = 0;
  int64_t start_ = 0, difference_ = 0;
};

}  // namespace gauntlet::tsdb
