// The head of a histogram chunk: counter reset header, sample count, and the layout that all its samples share.
//
// Format:  encodings 2, 3: u16 count, flags byte (top two bits: reset header).
//          encodings 5, 6: two bits of reset header, 14 of count; start time header byte.
//          Layout: zero threshold (a byte: 0, an exponent, or 255 and f64), varbit schema, spans positive and negative
//          (count, then length and offset), custom bounds if the schema is -53.
// Upstream: prometheus tsdb/chunkenc/histogram_meta.go

#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "model/histogram.h"
#include "tsdb/chunkenc/bit_reader.h"
#include "tsdb/chunkenc/bit_writer.h"
#include "tsdb/chunkenc/encoding.h"

namespace gauntlet::tsdb {

// What a chunk's writer knew about its first sample and the chunk before.
enum class ResetHeader : uint8_t { kUnknown = 0, kNotReset = 1, kReset = 2, kGauge = 3 };

inline bool HasStartTimes(Encoding e) { return e == Encoding::kHistogramSt || e == Encoding::kFloatHistogramSt; }
inline bool IsFloatHistogram(Encoding e) { return e == Encoding::kFloatHistogram || e == Encoding::kFloatHistogramSt; }

struct HistogramHeader {
  static constexpr size_t kBytes = 3;
  uint16_t count = 0;
  ResetHeader reset = ResetHeader::kUnknown;
  uint8_t start_times = 0;  // header byte of start_times.h
};

// False when the chunk is too short.
bool ReadHistogramHeader(Encoding encoding, std::string_view bytes, HistogramHeader* header);
// Writes count and reset header; leaves the header byte of the start times as it is.
void WriteHistogramHeader(Encoding encoding, uint16_t count, ResetHeader reset, BitWriter& out);

struct HistogramLayout {
  int32_t schema = 0;
  double zero_threshold = 0;
  std::vector<HistogramSpan> positive_spans, negative_spans;
  std::vector<double> custom_values;
};

// False when malformed, or when it announces more than the bits left can hold.
bool ReadHistogramLayout(BitReader& in, HistogramLayout* layout);
void WriteHistogramLayout(const HistogramLayout& layout, BitWriter& out);

// Number of buckets that the spans cover.
uint64_t CountBuckets(const std::vector<HistogramSpan>& spans);

}  // namespace gauntlet::tsdb
