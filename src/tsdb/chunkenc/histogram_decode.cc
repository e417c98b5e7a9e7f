#include "tsdb/chunkenc/histogram_decode.h"

#include <bit>

#include "model/stale.h"
#include "tsdb/chunkenc/bit_reader.h"
#include "tsdb/chunkenc/bucket_layout.h"
#include "tsdb/chunkenc/columns.h"
#include "tsdb/chunkenc/histogram_layout.h"
#include "tsdb/chunkenc/start_times.h"
#include "tsdb/chunkenc/value_window.h"
#include "tsdb/chunkenc/varbit.h"

namespace gauntlet::tsdb {
namespace {

// Zero bits at the reader's position, at most `limit` and at most 57; they are passed.
size_t SkipZeros(BitReader& in, size_t limit) {
  auto zeros = static_cast<size_t>(std::countl_zero(in.Peek() | 0x7f));
  if (zeros > limit) zeros = limit;
  in.Skip(static_cast<unsigned>(zeros));
  return zeros;
}

// An integer that is coded as delta of delta. Wraps, as the writer's arithmetic does.
struct DoubleDelta {
  uint64_t value = 0, delta = 0;
  void Read(BitReader& in) {
    delta += static_cast<uint64_t>(ReadVarbitInt(in));
    value += delta;
  }
};

// The buckets of one sign of an integer histogram: differences between neighbours.
class IntegerBuckets {
 public:
  void Resize(size_t n) {
    differences_.resize(n);
    deltas_.resize(n);
  }
  void ReadFirst(BitReader& in) {
    for (auto& d : differences_) d = static_cast<uint64_t>(ReadVarbitInt(in));
  }
  bool ReadNext(BitReader& in) {
    for (size_t i = 0; i < deltas_.size();) {
      i += SkipZeros(in, deltas_.size() - i);
      if (i < deltas_.size()) deltas_[i++] += static_cast<uint64_t>(ReadVarbitInt(in));
    }
    for (size_t i = 0; i < deltas_.size(); ++i) differences_[i] += deltas_[i];
    return true;
  }
  void CopyTo(std::vector<double>* counts) const {
    counts->resize(differences_.size());
    uint64_t count = 0;
    for (size_t i = 0; i < differences_.size(); ++i) {
      count += differences_[i];
      (*counts)[i] = static_cast<double>(static_cast<int64_t>(count));
    }
  }

 private:
  std::vector<uint64_t> differences_, deltas_;
};

// The buckets of one sign of a float histogram.
class FloatBuckets {
 public:
  void Resize(size_t n) { values_.resize(n); }
  void ReadFirst(BitReader& in) {
    for (auto& v : values_) v.Set(std::bit_cast<double>(in.Bits(64)));
  }
  bool ReadNext(BitReader& in) {
    for (size_t i = 0; i < values_.size();) {
      i += SkipZeros(in, values_.size() - i);
      if (i < values_.size() && !values_[i++].Read(in)) return false;
    }
    return true;
  }
  void CopyTo(std::vector<double>* counts) const {
    counts->resize(values_.size());
    for (size_t i = 0; i < values_.size(); ++i) (*counts)[i] = values_[i].value();
  }

 private:
  std::vector<XorValue> values_;
};

// Count and zero count of an integer histogram.
struct IntegerCounts {
  using Buckets = IntegerBuckets;
  static constexpr uint64_t kBucketBits = 1;  // the least a bucket of the first sample takes
  DoubleDelta count, zero_count;
  XorValue sum;
  void ReadFirst(BitReader& in) {
    count.value = ReadVarbitUint(in);
    zero_count.value = ReadVarbitUint(in);
    sum.Set(std::bit_cast<double>(in.Bits(64)));
  }
  bool ReadNext(BitReader& in) {
    count.Read(in);
    zero_count.Read(in);
    return sum.Read(in);
  }
  void CopyTo(Histogram* h) const {
    h->is_float = false;
    h->count = static_cast<double>(count.value);
    h->zero_count = static_cast<double>(zero_count.value);
    h->sum = sum.value();
  }
};

struct FloatCounts {
  using Buckets = FloatBuckets;
  static constexpr uint64_t kBucketBits = 64;
  XorValue count, zero_count, sum;
  void ReadFirst(BitReader& in) {
    for (auto* v : {&count, &zero_count, &sum}) v->Set(std::bit_cast<double>(in.Bits(64)));
  }
  bool ReadNext(BitReader& in) { return count.Read(in) && zero_count.Read(in) && sum.Read(in); }
  void CopyTo(Histogram* h) const {
    h->is_float = true;
    h->count = count.value();
    h->zero_count = zero_count.value();
    h->sum = sum.value();
  }
};

// Walks one chunk. One thread at a time.
template <typename Counts>
class HistogramReader {
 public:
  HistogramReader(const HistogramHeader& header, const PaddedBytes& bytes)
      : header_(header), in_(bytes, HistogramHeader::kBytes), starts_(header.start_times) {}

  // False when malformed.
  bool Read(int64_t mint, int64_t maxt, Samples* out) {
    if (!ReadFirst()) return false;
    for (uint32_t i = 0;;) {
      auto t = static_cast<int64_t>(time_.value);
      if (t > maxt) return true;
      if (t >= mint) Emit(i, out);
      if (++i == header_.count) return true;
      if (!ReadNext(i)) return false;
    }
  }

 private:
  bool ReadFirst() {
    if (!ReadHistogramLayout(in_, &layout_)) return false;
    uint64_t positive = CountBuckets(layout_.positive_spans), negative = CountBuckets(layout_.negative_spans);
    if (positive + negative > in_.bits_left() / Counts::kBucketBits) return false;
    positive_.Resize(positive);
    negative_.Resize(negative);
    time_.value = static_cast<uint64_t>(ReadVarbitInt(in_));
    counts_.ReadFirst(in_);
    positive_.ReadFirst(in_);
    negative_.ReadFirst(in_);
    starts_.Read(0, static_cast<int64_t>(time_.value), 0, in_);
    return !in_.overrun();
  }

  bool ReadNext(uint32_t index) {
    auto last_t = static_cast<int64_t>(time_.value);
    time_.Read(in_);
    if (!counts_.ReadNext(in_)) return false;
    if (!IsStaleNaN(counts_.sum.value()) && (!positive_.ReadNext(in_) || !negative_.ReadNext(in_))) return false;
    starts_.Read(index, static_cast<int64_t>(time_.value), last_t, in_);
    return !in_.overrun();
  }

  void Emit(uint32_t index, Samples* out) {
    auto position = static_cast<uint32_t>(out->times_ms.size());
    out->times_ms.push_back(static_cast<int64_t>(time_.value));
    out->values.push_back(0);
    if (starts_.any()) {
      out->start_times_ms.resize(position + 1);
      out->start_times_ms.back() = starts_.start_time();
    }
    Histogram& h = out->histograms.emplace_back(HistogramSample{position, {}}).histogram;
    counts_.CopyTo(&h);
    if (h.stale()) {
      h.count = h.zero_count = 0;
      return;
    }
    h.reset_hint = header_.reset == ResetHeader::kGauge ? ResetHint::kGauge
                   : index > 0                          ? ResetHint::kNotReset
                                                        : ResetHint::kUnknown;
    h.schema = layout_.schema;
    h.zero_threshold = layout_.zero_threshold;
    h.positive_spans = layout_.positive_spans;
    h.negative_spans = layout_.negative_spans;
    h.custom_values = layout_.custom_values;
    positive_.CopyTo(&h.positive_buckets);
    negative_.CopyTo(&h.negative_buckets);
    ReduceToKnownSchema(&h);
  }

  HistogramHeader header_;
  BitReader in_;
  StartTimeReader starts_;
  HistogramLayout layout_;
  DoubleDelta time_;
  Counts counts_;
  typename Counts::Buckets positive_, negative_;
};

}  // namespace

Status DecodeHistograms(Encoding encoding, std::string_view bytes, int64_t mint_ms, int64_t maxt_ms, Samples* out) {
  size_t base = out->size();
  HistogramHeader header;
  bool ok = ReadHistogramHeader(encoding, bytes, &header);
  if (ok && header.count > 0) {
    PaddedBytes padded(bytes);
    ok = IsFloatHistogram(encoding) ? HistogramReader<FloatCounts>(header, padded).Read(mint_ms, maxt_ms, out)
                                    : HistogramReader<IntegerCounts>(header, padded).Read(mint_ms, maxt_ms, out);
  }
  if (!ok) return MalformedChunk(encoding, header.count, bytes.size());
  KeepAscending(base, out);
  return Status();
}

}  // namespace gauntlet::tsdb
