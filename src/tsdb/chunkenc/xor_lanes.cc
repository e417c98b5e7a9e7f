#include "tsdb/chunkenc/xor_lanes.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "tsdb/chunkenc/columns.h"
#include "tsdb/chunkenc/xor_lane_steps.h"
#include "tsdb/chunkenc/xor_state.h"

namespace gauntlet::tsdb {
namespace {

// Chunks for which the lanes are made: neither so small that starting costs more than decoding, nor larger than a lane.
constexpr size_t kCountMin = 16;

bool Suits(const ChunkView& chunk) {
  if (chunk.encoding != Encoding::kXor || chunk.bytes.size() > XorLanes::kChunkBytesMax) return false;
  const uint32_t count = SampleCount(chunk);
  // Below half a byte a sample most are repetitions, of which one decoder alone takes many at once.
  return count >= kCountMin && chunk.bytes.size() * 2 > count;
}

// Begins with chunk `k`, whose first two samples are read here.
bool Start(const XorStart& start, size_t k, int64_t* times, double* values, XorLanes& lanes) {
  uint8_t* bytes = lanes.bytes + k * XorLanes::kLaneBytes;
  std::memcpy(bytes, start.bits.data(), start.bits.size());
  std::memset(bytes + start.bits.size(), 0, XorLanes::kPad);
  XorState s = StartXor(start, lanes.bytes, k * XorLanes::kLaneBytes * 8);
  times[0] = start.t;
  values[0] = std::bit_cast<double>(start.value);
  times[1] = static_cast<int64_t>(s.t);
  if (!ReadXorValue(LoadBits(s.data, s.pos), s)) return false;
  values[1] = std::bit_cast<double>(s.value);
  lanes.Set(k, s);
  lanes.end[k] = s.end;
  lanes.left[k] = start.count - 2;
  lanes.times[k] = times + 2;
  lanes.values[k] = values + 2;
  return true;
}

// The next sample of each lane, whatever it is. False when one is malformed.
bool StepEach(XorLanes& lanes, size_t width) {
  for (size_t k = 0; k < width; ++k) {
    XorState s = lanes.Get(k);
    if (!ReadXorValue(ReadXorTime(s), s)) return false;
    lanes.Set(k, s);
    *lanes.times[k] = static_cast<int64_t>(s.t);
    *lanes.values[k] = std::bit_cast<double>(s.value);
  }
  return true;
}

// All that is left in the lanes. False when one is malformed.
bool Walk(XorLanes& lanes, size_t width) {
  bool steady = true;
  while (true) {
    size_t steps = XorLanes::kBlock;
    bool any = false;
    for (size_t k = 0; k < width; ++k) {
      if (lanes.left[k] == 0) {
        lanes.Idle(k);
      } else {
        any = true;
        steps = std::min(steps, lanes.left[k]);
      }
    }
    if (!any) return true;
    size_t done = steady ? StepSteady(lanes, width, steps) : StepUnsteady(lanes, width, steps);
    if (lanes.malformed) return false;  // its window is none that StepEach() could shift by
    lanes.Advance(width, done);
    if (done < steps && !steady) {  // an interval changed by more than is usual
      if (!StepEach(lanes, width)) return false;
      lanes.Advance(width, 1);
    }
    steady = done == steps && (steady || lanes.calm);
    for (size_t k = 0; k < width; ++k) {
      if (lanes.pos[k] > lanes.end[k]) return false;
    }
  }
}

}  // namespace

size_t ChunksAbreast(std::span<const ChunkView> chunks) {
  static const bool able = LanesRunHere();
  if (!able) return 0;
  size_t n = 0;
  while (n < chunks.size() && n < XorLanes::kWidth && Suits(chunks[n])) ++n;
  // Three lanes of four, six of eight, ten of twelve cost less than a smaller number and one decoder after the other.
  constexpr size_t kGroup = XorLanes::kGroup;
  const size_t rest = n % kGroup;
  return rest == kGroup - 1 || (rest == kGroup - 2 && n > kGroup) ? n : n - rest;
}

bool DecodeXorAbreast(std::span<const ChunkView> chunks, Samples* out) {
  XorLanes lanes;
  const size_t base = out->size();
  size_t total = base;
  for (const ChunkView& chunk : chunks) total += SampleCount(chunk);
  out->times_ms.resize(total);
  out->values.resize(total);
  auto fail = [&] {
    out->times_ms.resize(base);
    out->values.resize(base);
    return false;
  };
  size_t at = base;
  for (size_t k = 0; k < chunks.size(); ++k) {
    XorStart start;
    if (!ReadXorStart(chunks[k].bytes, &start)) return fail();
    if (!Start(start, k, out->times_ms.data() + at, out->values.data() + at, lanes)) return fail();
    at += start.count;
  }
  const size_t width = (chunks.size() + XorLanes::kGroup - 1) / XorLanes::kGroup * XorLanes::kGroup;
  if (!Walk(lanes, width)) return fail();
  at = base;
  for (size_t k = 0; k < chunks.size(); ++k) {
    if (MayGoBack(lanes.deltas[k], out->times_ms[at])) return fail();
    at += SampleCount(chunks[k]);
  }
  return true;
}

}  // namespace gauntlet::tsdb
