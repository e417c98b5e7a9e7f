// The XOR2 chunk: XOR with one control prefix for time and value together, short forms for stale markers, and
// optional start times.
//
// Format:  u16 count, start time header (start_times.h); varint t0, f64 v0, start time; uvarint t1 - t0, V, start time;
//          then for each sample, with the delta of delta d of its time:
//            0                d = 0, value as before
//            10 N             d = 0, other value
//            110 d:13 V | 1110 d:20 V | 11110 d:64 V
//            11111            d = 0, stale marker
//          V is 0 (as before) | 10 bits in the last window | 110 new window | 111 stale marker;
//          N is 0 bits in the last window | 1 new window. A stale marker is not the base of the next value.
// Upstream: prometheus tsdb/chunkenc/xor2.go

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"
#include "model/samples.h"
#include "tsdb/chunkenc/bit_writer.h"
#include "tsdb/chunkenc/start_times.h"
#include "tsdb/chunkenc/value_window.h"

namespace gauntlet::tsdb {

// As DecodeXor(), and fills start_times_ms if any sample has one.
Status DecodeXor2(std::string_view bytes, int64_t maxt_ms, Samples* out);

// Writes one chunk; bytes() is a valid chunk after each Append. One thread at a time.
class Xor2Appender {
 public:
  Xor2Appender() : bits_(3) {}

  // REQUIRES: count() < 65535. A start time of 0 is unknown.
  void Append(int64_t start_ms, int64_t t_ms, double v);

  uint16_t count() const { return count_; }
  std::string_view bytes() const { return bits_.bytes(); }
  // The chunk; the appender begins anew.
  std::string Release();
  size_t memory_bytes() const { return sizeof(*this) + bits_.memory_bytes(); }

 private:
  void WriteTimeAndValue(int64_t dod, double v);
  // V of the format behind a head.
  void WriteValue(uint64_t head, unsigned head_bits, double v);

  BitWriter bits_;
  uint16_t count_ = 0;
  int64_t t_ = 0;
  uint64_t delta_ = 0;
  uint64_t value_ = 0;  // the last one that was not a stale marker
  XorWindow window_;
  StartTimeWriter start_times_;
};

}  // namespace gauntlet::tsdb
