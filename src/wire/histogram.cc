// prometheus.Histogram <-> Histogram. Fields 1..17 as in proto/prometheus/types.proto; numbers that repeat may come
// packed or one by one.
#include <fmt/format.h>

#include <bit>
#include <span>

#include "wire/fields.h"
#include "wire/time_series.h"

namespace gauntlet::wire {
namespace {

struct Side {
  std::vector<HistogramSpan> spans;
  std::vector<int64_t> deltas;
  std::vector<double> counts;
};

bool ReadDeltas(const FieldReader& field, bool packed, std::vector<int64_t>* deltas) {
  if (!packed) {
    deltas->push_back(ZigZag(field.varint()));
    return true;
  }
  ByteReader bytes(field.bytes());
  uint64_t v;
  while (!bytes.empty()) {
    if (!bytes.Uvarint(&v)) return false;
    deltas->push_back(ZigZag(v));
  }
  return true;
}

bool ReadDoubles(const FieldReader& field, bool packed, std::vector<double>* doubles) {
  if (!packed) {
    doubles->push_back(field.number());
    return true;
  }
  ByteReader bytes(field.bytes());
  uint64_t v;
  while (!bytes.empty()) {
    if (!bytes.Le64(&v)) return false;
    doubles->push_back(std::bit_cast<double>(v));
  }
  return true;
}

bool ReadSpan(std::string_view message, std::vector<HistogramSpan>* spans) {
  HistogramSpan span;
  FieldReader fields(message);
  while (fields.Next()) {
    if (fields.key() == VarintKey(1)) span.offset = static_cast<int32_t>(ZigZag(fields.varint()));
    if (fields.key() == VarintKey(2)) span.length = static_cast<uint32_t>(fields.varint());
  }
  spans->push_back(span);
  return fields.ok();
}

// Fills one side's buckets; false when they are not as many as the spans say.
bool Finish(Side&& side, bool is_float, std::vector<HistogramSpan>* spans, std::vector<double>* buckets) {
  if (is_float) {
    *buckets = std::move(side.counts);
  } else {
    uint64_t count = 0;  // wraps as the encoder's does
    for (int64_t delta : side.deltas) {
      count += static_cast<uint64_t>(delta);
      buckets->push_back(static_cast<double>(static_cast<int64_t>(count)));
    }
  }
  *spans = std::move(side.spans);
  uint64_t length = 0;
  for (const HistogramSpan& span : *spans) length += span.length;
  return length == buckets->size();
}

void AppendSpans(std::string& out, uint32_t field, std::span<const HistogramSpan> spans) {
  for (const HistogramSpan& span : spans) {
    std::string message;
    AppendVarintField(message, 1, UnZigZag(span.offset));
    AppendVarintField(message, 2, span.length);
    PutBytes(out, field, message);
  }
}

void AppendDoubles(std::string& out, uint32_t field, std::span<const double> values) {
  AppendBytes(out, field, {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(double)});
}

// The nearest that fits: counts beyond 2^53 do not come back exactly.
uint64_t ToUint64(double v) { return v >= 0x1p64 ? UINT64_MAX : v > 0 ? static_cast<uint64_t>(v) : 0; }
int64_t ToInt64(double v) {
  if (v >= 0x1p63) return INT64_MAX;
  return v > -0x1p63 ? static_cast<int64_t>(v) : v < 0 ? INT64_MIN : 0;
}

void AppendDeltas(std::string& out, uint32_t field, std::span<const double> buckets) {
  std::string packed;
  uint64_t before = 0;
  for (double bucket : buckets) {
    int64_t count = ToInt64(bucket);
    AppendUvarint(packed, UnZigZag(static_cast<int64_t>(static_cast<uint64_t>(count) - before)));
    before = static_cast<uint64_t>(count);
  }
  AppendBytes(out, field, packed);
}

static_assert(std::endian::native == std::endian::little, "doubles are copied as they are");

}  // namespace

Status ReadHistogram(std::string_view message, Histogram* histogram, int64_t* time_ms) {
  *histogram = Histogram();
  histogram->is_float = false;
  *time_ms = 0;
  Side positive, negative;
  FieldReader fields(message);
  bool ok = true;
  while (ok && fields.Next()) {
    bool packed = (fields.key() & 7) == 2;
    switch (fields.key()) {
      case VarintKey(1):
        histogram->is_float = false;
        histogram->count = static_cast<double>(fields.varint());
        break;
      case Fixed64Key(2):
        histogram->is_float = true;
        histogram->count = fields.number();
        break;
      case Fixed64Key(3):
        histogram->sum = fields.number();
        break;
      case VarintKey(4):
        histogram->schema = static_cast<int32_t>(ZigZag(fields.varint()));
        break;
      case Fixed64Key(5):
        histogram->zero_threshold = fields.number();
        break;
      case VarintKey(6):
        histogram->zero_count = static_cast<double>(fields.varint());
        break;
      case Fixed64Key(7):
        histogram->zero_count = fields.number();
        break;
      case BytesKey(8):
        ok = ReadSpan(fields.bytes(), &negative.spans);
        break;
      case VarintKey(9):
      case BytesKey(9):
        ok = ReadDeltas(fields, packed, &negative.deltas);
        break;
      case Fixed64Key(10):
      case BytesKey(10):
        ok = ReadDoubles(fields, packed, &negative.counts);
        break;
      case BytesKey(11):
        ok = ReadSpan(fields.bytes(), &positive.spans);
        break;
      case VarintKey(12):
      case BytesKey(12):
        ok = ReadDeltas(fields, packed, &positive.deltas);
        break;
      case Fixed64Key(13):
      case BytesKey(13):
        ok = ReadDoubles(fields, packed, &positive.counts);
        break;
      case VarintKey(14):
        histogram->reset_hint = fields.varint() <= 3 ? static_cast<ResetHint>(fields.varint()) : ResetHint::kUnknown;
        break;
      case VarintKey(15):
        *time_ms = fields.int64();
        break;
      case Fixed64Key(16):
      case BytesKey(16):
        ok = ReadDoubles(fields, packed, &histogram->custom_values);
        break;
      default:
        break;
    }
  }
  if (!ok || !fields.ok()) return Status(Code::kCorrupt, "TimeSeries: malformed histogram");
  if (!Finish(std::move(positive), histogram->is_float, &histogram->positive_spans, &histogram->positive_buckets) ||
      !Finish(std::move(negative), histogram->is_float, &histogram->negative_spans, &histogram->negative_buckets))
    return Status(Code::kCorrupt, fmt::format("TimeSeries: histogram at {}: buckets and spans differ", *time_ms));
  return {};
}

void AppendHistogram(std::string& out, uint32_t field, const Histogram& histogram, int64_t time_ms) {
  std::string message;
  if (histogram.is_float) {
    PutDouble(message, 2, histogram.count);
  } else {
    PutVarint(message, 1, ToUint64(histogram.count));
  }
  AppendDouble(message, 3, histogram.sum);
  AppendVarintField(message, 4, UnZigZag(histogram.schema));
  AppendDouble(message, 5, histogram.zero_threshold);
  if (histogram.is_float) {
    PutDouble(message, 7, histogram.zero_count);
  } else {
    PutVarint(message, 6, ToUint64(histogram.zero_count));
  }
  AppendSpans(message, 8, histogram.negative_spans);
  if (histogram.is_float) {
    AppendDoubles(message, 10, histogram.negative_buckets);
  } else {
    AppendDeltas(message, 9, histogram.negative_buckets);
  }
  AppendSpans(message, 11, histogram.positive_spans);
  if (histogram.is_float) {
    AppendDoubles(message, 13, histogram.positive_buckets);
  } else {
    AppendDeltas(message, 12, histogram.positive_buckets);
  }
  AppendVarintField(message, 14, static_cast<uint64_t>(histogram.reset_hint));
  AppendVarintField(message, 15, static_cast<uint64_t>(time_ms));
  AppendDoubles(message, 16, histogram.custom_values);
  PutBytes(out, field, message);
}

}  // namespace gauntlet::wire
