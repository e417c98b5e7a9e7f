// The state of several decoders of XOR chunks, and the steps that they take together. Inside xor_lanes.cc.
//
// Threads: one thread at a time.

#pragma once

#include <cstddef>
#include <cstdint>

#include "tsdb/chunkenc/xor_state.h"

namespace gauntlet::tsdb {

// The chunks' bits in one buffer, and where the decoder of each stands in it: columns, so that four lanes are one load.
// 32 KiB, made for the stack.
struct XorLanes {
  static constexpr size_t kWidth = 12, kGroup = 4;
  // Steps between two looks at the ends of the chunks. Until then a malformed one may be read beyond its end.
  static constexpr size_t kBlock = 32;
  static constexpr size_t kSampleBitsMax = 16 + 13 + 64;
  static constexpr size_t kChunkBytesMax = 2048, kPad = kBlock * kSampleBitsMax / 8 + 40;
  static constexpr size_t kLaneBytes = kChunkBytesMax + kPad;

  alignas(32) uint64_t pos[kWidth] = {};  // bits from the begin of `bytes`
  alignas(32) uint64_t t[kWidth] = {};
  alignas(32) uint64_t delta[kWidth] = {};
  alignas(32) uint64_t deltas[kWidth] = {};  // all of them, or-ed
  alignas(32) uint64_t value[kWidth] = {};
  alignas(32) uint64_t trailing[kWidth] = {};
  alignas(32) uint64_t unused[kWidth] = {};  // bits of a value that are not sent: 64 - length
  uint64_t end[kWidth] = {};
  size_t left[kWidth] = {};  // samples; 0: an idle lane
  int64_t* times[kWidth];    // where the next one goes
  double* values[kWidth];
  bool malformed = false;  // some lane met a window of more than 64 bits
  bool calm = false;       // no interval changed in the last call of StepUnsteady()

  uint8_t bytes[(kWidth + 1) * kLaneBytes];  // the last lane: zeros for the idle ones
  int64_t idle_times[kBlock];
  double idle_values[kBlock];

  XorLanes() {
    for (size_t i = 0; i < kPad; ++i) bytes[kWidth * kLaneBytes + i] = 0;
  }

  XorState Get(size_t k) const {
    XorState s{bytes, pos[k], end[k], t[k], delta[k], value[k]};
    s.trailing = static_cast<unsigned>(trailing[k]);
    s.length = static_cast<unsigned>(64 - unused[k]);
    s.deltas = deltas[k];
    return s;
  }
  void Set(size_t k, const XorState& s) {
    pos[k] = s.pos;
    t[k] = s.t;
    delta[k] = s.delta;
    deltas[k] = s.deltas;
    value[k] = s.value;
    trailing[k] = s.trailing;
    unused[k] = 64 - s.length;
  }
  // Makes lane `k` repeat a sample that nobody reads, for a block.
  void Idle(size_t k) {
    pos[k] = end[k] = kWidth * kLaneBytes * 8;
    end[k] += kPad * 8;
    times[k] = idle_times;
    values[k] = idle_values;
  }
  // After `steps` of all lanes.
  void Advance(size_t width, size_t steps) {
    for (size_t k = 0; k < width; ++k) {
      times[k] += steps;
      values[k] += steps;
      if (left[k] != 0) left[k] -= steps;
    }
  }
};

// Whether this processor has what the steps need.
bool LanesRunHere();

// Reads up to `steps` (at most a block) samples of the first `width` (4, 8 or 12) lanes and writes them to `times` and
// `values`. Returns how many: StepSteady() stops before an interval that changes, StepUnsteady() before one that
// changes by more than 2^13 ms. Then the state is that before the sample.
size_t StepSteady(XorLanes& lanes, size_t width, size_t steps);
size_t StepUnsteady(XorLanes& lanes, size_t width, size_t steps);

}  // namespace gauntlet::tsdb
