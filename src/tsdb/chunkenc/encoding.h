// Encoding: the byte that says how a chunk's samples are coded, as it stands in chunk files.
//
// Upstream: prometheus tsdb/chunkenc/chunk.go; 255 is Thanos' (pkg/compact/downsample)

#pragma once

#include <cstdint>
#include <string_view>

namespace gauntlet::tsdb {

enum class Encoding : uint8_t {
  kNone = 0,
  kXor = 1,
  kHistogram = 2,
  kFloatHistogram = 3,
  kXor2 = 4,
  kHistogramSt = 5,
  kFloatHistogramSt = 6,
  kAggregate = 0xff,  // five chunks in one: see aggr_chunk.h
};

// "XOR", "histogram", .. as upstream prints them.
std::string_view EncodingName(Encoding encoding);

inline bool IsFloatEncoding(Encoding e) { return e == Encoding::kXor || e == Encoding::kXor2; }
inline bool IsHistogramEncoding(Encoding e) {
  return e == Encoding::kHistogram || e == Encoding::kFloatHistogram || e == Encoding::kHistogramSt ||
         e == Encoding::kFloatHistogramSt;
}

}  // namespace gauntlet::tsdb
