// The XOR chunk: Gorilla's coding of times (delta of delta) and values (xor with the one before).
//
// Format:  u16 count; varint t0, f64 v0; uvarint t1 - t0, value; then for each sample its delta of delta and value.
// Upstream: prometheus tsdb/chunkenc/xor.go

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"
#include "model/samples.h"
#include "tsdb/chunkenc/bit_writer.h"
#include "tsdb/chunkenc/value_window.h"

namespace gauntlet::tsdb {

// Appends the chunk's samples to times and values of `out`, stopping after the first one later than `maxt_ms`.
// Leaves `out` in any state on error; DecodeChunk() is the entry that cleans up and cuts.
Status DecodeXor(std::string_view bytes, int64_t maxt_ms, Samples* out);

// Writes one chunk; bytes() is a valid chunk after each Append. One thread at a time.
class XorAppender {
 public:
  XorAppender() : bits_(2) {}

  // REQUIRES: count() < 65535
  void Append(int64_t t_ms, double v);

  uint16_t count() const { return count_; }
  std::string_view bytes() const { return bits_.bytes(); }
  // The chunk; the appender begins anew.
  std::string Release();
  size_t memory_bytes() const { return sizeof(*this) + bits_.memory_bytes(); }

 private:
  BitWriter bits_;
  uint16_t count_ = 0;
  int64_t t_ = 0;
  uint64_t delta_ = 0;
  XorValue value_;
};

}  // namespace gauntlet::tsdb
