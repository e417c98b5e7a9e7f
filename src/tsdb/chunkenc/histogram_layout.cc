#include "tsdb/chunkenc/histogram_layout.h"

#include <bit>
#include <cmath>

#include "tsdb/chunkenc/varbit.h"

namespace gauntlet::tsdb {
namespace {

constexpr int32_t kReservedSchemaMin = -9, kReservedSchemaMax = 52;  // what upstream reserves; it writes -4 .. 8
constexpr uint16_t kStCountMask = 0x3fff;

bool ReadSpans(BitReader& in, std::vector<HistogramSpan>* spans) {
  uint64_t count = ReadVarbitUint(in);
  if (count > in.bits_left() / 2) return false;  // two bits each at least
  spans->reserve(count);
  for (uint64_t i = 0; i < count; ++i) {
    HistogramSpan span;
    span.length = static_cast<uint32_t>(ReadVarbitUint(in));
    span.offset = static_cast<int32_t>(ReadVarbitInt(in));
    spans->push_back(span);
  }
  return !in.overrun();
}

void WriteSpans(const std::vector<HistogramSpan>& spans, BitWriter& out) {
  WriteVarbitUint(spans.size(), out);
  for (const auto& span : spans) {
    WriteVarbitUint(span.length, out);
    WriteVarbitInt(span.offset, out);
  }
}

double ReadZeroThreshold(BitReader& in) {
  uint64_t byte = in.Bits(8);
  if (byte == 0) return 0;
  if (byte == 255) return std::bit_cast<double>(in.Bits(64));
  return std::ldexp(0.5, static_cast<int>(byte) - 243);
}

void WriteZeroThreshold(double threshold, BitWriter& out) {
  int exponent = 0;
  if (threshold == 0) {
    out.Bits(0, 8);
  } else if (std::frexp(threshold, &exponent) == 0.5 && exponent >= -242 && exponent <= 11) {
    out.Bits(static_cast<uint8_t>(exponent + 243), 8);
  } else {
    out.Bits(255, 8);
    out.Bits(std::bit_cast<uint64_t>(threshold), 64);
  }
}

bool ReadCustomBounds(BitReader& in, std::vector<double>* bounds) {
  uint64_t count = ReadVarbitUint(in);
  if (count > in.bits_left() / 5) return false;  // five bits each at least
  bounds->reserve(count);
  for (uint64_t i = 0; i < count; ++i) {
    uint64_t thousandths = ReadVarbitUint(in);
    bounds->push_back(thousandths != 0 ? static_cast<double>(thousandths - 1) / 1000
                                       : std::bit_cast<double>(in.Bits(64)));
  }
  return !in.overrun();
}

// A bound that is a whole number of thousandths and fits four bytes of varbit is written as that number plus one.
void WriteCustomBound(double bound, BitWriter& out) {
  double scaled = bound * 1000;
  if (scaled >= 0 && scaled <= 33554430 && std::round(scaled) / 1000 == bound) {
    WriteVarbitUint(static_cast<uint64_t>(std::round(scaled)) + 1, out);
    return;
  }
  out.Bit(false);
  out.Bits(std::bit_cast<uint64_t>(bound), 64);
}

}  // namespace

bool ReadHistogramHeader(Encoding encoding, std::string_view bytes, HistogramHeader* header) {
  if (bytes.size() < HistogramHeader::kBytes) return false;
  auto byte = [&](size_t i) { return static_cast<uint8_t>(bytes[i]); };
  auto word = static_cast<uint16_t>(byte(0) << 8 | byte(1));
  bool with_start_times = HasStartTimes(encoding);
  header->count = with_start_times ? word & kStCountMask : word;
  header->reset = static_cast<ResetHeader>(byte(with_start_times ? 0 : 2) >> 6);
  header->start_times = with_start_times ? byte(2) : 0;
  return true;
}

void WriteHistogramHeader(Encoding encoding, uint16_t count, ResetHeader reset, BitWriter& out) {
  auto flags = static_cast<uint8_t>(static_cast<uint8_t>(reset) << 6);
  auto high = static_cast<uint8_t>(count >> 8);
  out.set_byte(0, HasStartTimes(encoding) ? static_cast<uint8_t>(flags | high) : high);
  out.set_byte(1, static_cast<uint8_t>(count));
  if (!HasStartTimes(encoding)) out.set_byte(2, flags);
}

bool ReadHistogramLayout(BitReader& in, HistogramLayout* layout) {
  layout->zero_threshold = ReadZeroThreshold(in);
  int64_t schema = ReadVarbitInt(in);
  if (schema != kCustomBucketsSchema && (schema < kReservedSchemaMin || schema > kReservedSchemaMax)) return false;
  layout->schema = static_cast<int32_t>(schema);
  if (!ReadSpans(in, &layout->positive_spans) || !ReadSpans(in, &layout->negative_spans)) return false;
  return schema != kCustomBucketsSchema || ReadCustomBounds(in, &layout->custom_values);
}

void WriteHistogramLayout(const HistogramLayout& layout, BitWriter& out) {
  WriteZeroThreshold(layout.zero_threshold, out);
  WriteVarbitInt(layout.schema, out);
  WriteSpans(layout.positive_spans, out);
  WriteSpans(layout.negative_spans, out);
  if (layout.schema != kCustomBucketsSchema) return;
  WriteVarbitUint(layout.custom_values.size(), out);
  for (double bound : layout.custom_values) WriteCustomBound(bound, out);
}

uint64_t CountBuckets(const std::vector<HistogramSpan>& spans) {
  uint64_t count = 0;
  for (const auto& span : spans) count += span.length;
  return count;
}

}  // namespace gauntlet::tsdb
