#include "tsdb/chunkenc/histogram_appender.h"

#include <bit>
#include <limits>
#include <utility>

#include "base/check.h"
#include "tsdb/chunkenc/bucket_layout.h"
#include "tsdb/chunkenc/histogram_decode.h"
#include "tsdb/chunkenc/varbit.h"

namespace gauntlet::tsdb {
namespace {

int64_t WrappingMinus(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) - static_cast<uint64_t>(b));
}

// A count of an integer histogram; the model holds them as doubles. Beyond the range: its end.
int64_t Integer(double count) {
  if (!(count > -9.2e18)) return std::numeric_limits<int64_t>::min();
  return count < 9.2e18 ? static_cast<int64_t>(count) : std::numeric_limits<int64_t>::max();
}

// A stale marker is stored without anything but its sum.
Histogram OnlySum(const Histogram& h) {
  Histogram stale;
  stale.is_float = h.is_float;
  stale.sum = h.sum;
  return stale;
}

// Adds the buckets of `more` to the layout, counting nothing.
void Widen(const std::vector<HistogramSpan>& more, std::vector<HistogramSpan>* spans, std::vector<double>* buckets) {
  auto wide = UnionSpans(more, *spans);
  *buckets = Respread(*spans, *buckets, wide);
  *spans = std::move(wide);
}

}  // namespace

HistogramAppender::HistogramAppender(Encoding encoding) : encoding_(encoding) {
  GN_CHECK(IsHistogramEncoding(encoding));
}

std::string HistogramAppender::Release() {
  std::string chunk(bits_.bytes());
  *this = HistogramAppender(encoding_);
  return chunk;
}

HistogramAppender::Outcome HistogramAppender::Append(int64_t start_ms, int64_t t_ms, const Histogram& h,
                                                     const HistogramAppender* previous, std::string* finished) {
  GN_CHECK(h.is_float == is_float() && count_ < max_count());
  if (count_ == 0) {
    SetFirstHeader(h, previous);
    Write(start_ms, t_ms, h);
    return Outcome::kAppended;
  }
  bool gauge = h.reset_hint == ResetHint::kGauge;
  Verdict verdict = Judge(h);
  if (!verdict.fits) {
    ResetHeader header = gauge                                                ? ResetHeader::kGauge
                         : is_float() && verdict.reset != ResetHeader::kReset ? ResetHeader::kUnknown
                                                                              : verdict.reset;
    *finished = Release();
    reset_ = header;
    Write(start_ms, t_ms, h);
    return Outcome::kNewChunk;
  }
  bool added = verdict.positive.added || verdict.negative.added;
  bool missing = verdict.positive.missing || verdict.negative.missing;
  if (!missing) {
    if (added) Rewrite(h.positive_spans, h.negative_spans);
    Write(start_ms, t_ms, h);
  } else {
    // Spans that need no change stay as they were given, empty ones included: it shows in the bytes.
    Histogram wide = h;
    if (gauge || verdict.positive.missing) Widen(last_.positive_spans, &wide.positive_spans, &wide.positive_buckets);
    if (gauge || verdict.negative.missing) Widen(last_.negative_spans, &wide.negative_spans, &wide.negative_buckets);
    if (added) Rewrite(wide.positive_spans, wide.negative_spans);
    Write(start_ms, t_ms, wide);
  }
  return added ? Outcome::kRewritten : Outcome::kAppended;
}

void HistogramAppender::SetFirstHeader(const Histogram& h, const HistogramAppender* previous) {
  if (h.reset_hint == ResetHint::kGauge) {
    reset_ = ResetHeader::kGauge;
  } else if (h.reset_hint == ResetHint::kReset) {
    reset_ = ResetHeader::kReset;
  } else if (previous != nullptr && previous->is_float() == is_float()) {
    reset_ = previous->JudgeCounter(h).reset;
    if (is_float() && reset_ != ResetHeader::kReset) reset_ = ResetHeader::kNotReset;
  }
}

HistogramAppender::Verdict HistogramAppender::Judge(const Histogram& h) const {
  if (h.reset_hint != ResetHint::kGauge) return JudgeCounter(h);
  if (reset_ != ResetHeader::kGauge) return {};
  if (h.stale()) return {.fits = true};
  if (last_.stale()) return {};
  return JudgeLayout(h, false);
}

HistogramAppender::Verdict HistogramAppender::JudgeCounter(const Histogram& h) const {
  if (count_ > 0 && reset_ == ResetHeader::kGauge) return {};
  if (h.reset_hint == ResetHint::kReset) return {.reset = ResetHeader::kReset};
  if (h.stale()) return {.fits = true};
  if (last_.stale()) return {.reset = ResetHeader::kUnknown};
  if (h.count < last_.count) return {.reset = ResetHeader::kReset};
  return JudgeLayout(h, true);
}

HistogramAppender::Verdict HistogramAppender::JudgeLayout(const Histogram& h, bool counter) const {
  if (h.schema != last_.schema || h.zero_threshold != last_.zero_threshold) return {.reset = ResetHeader::kUnknown};
  if (h.uses_custom_buckets() && h.custom_values != last_.custom_values) return {.reset = ResetHeader::kReset};
  if (counter && h.zero_count < last_.zero_count) return {.reset = ResetHeader::kReset};
  auto positive = CompareBuckets(last_.positive_spans, last_.positive_buckets, h.positive_spans, h.positive_buckets);
  auto negative = CompareBuckets(last_.negative_spans, last_.negative_buckets, h.negative_spans, h.negative_buckets);
  if (counter && (positive.reset || negative.reset)) return {.reset = ResetHeader::kReset};
  return {.fits = true, .positive = positive, .negative = negative};
}

void HistogramAppender::Rewrite(const std::vector<HistogramSpan>& positive,
                                const std::vector<HistogramSpan>& negative) {
  Samples samples;
  ResetHeader reset = reset_;
  Status status = DecodeHistograms(encoding_, bytes(), std::numeric_limits<int64_t>::min(),
                                   std::numeric_limits<int64_t>::max(), &samples);
  GN_CHECK(status.ok() && samples.size() == count_);
  samples.start_times_ms.resize(samples.size());
  *this = HistogramAppender(encoding_);
  reset_ = reset;
  for (auto& [i, h] : samples.histograms) {
    h.positive_buckets = Respread(h.positive_spans, h.positive_buckets, positive);
    h.negative_buckets = Respread(h.negative_spans, h.negative_buckets, negative);
    h.positive_spans = positive;
    h.negative_spans = negative;
    Write(samples.start_times_ms[i], samples.times_ms[i], h);
  }
}

void HistogramAppender::Write(int64_t start_ms, int64_t t_ms, const Histogram& h) {
  int64_t last_t = time_.value;
  if (h.stale()) {
    Histogram stale = OnlySum(h);
    count_ == 0 ? WriteFirst(t_ms, stale) : WriteNext(t_ms, stale);
    if (count_ == 0) last_ = stale;
    last_.count = last_.zero_count = 0;
    last_.sum = h.sum;
  } else {
    count_ == 0 ? WriteFirst(t_ms, h) : WriteNext(t_ms, h);
    last_ = h;
  }
  if (HasStartTimes(encoding_)) start_times_.Write(count_, start_ms, t_ms, last_t, 2, bits_);
  WriteHistogramHeader(encoding_, ++count_, reset_, bits_);
}

void HistogramAppender::WriteFirst(int64_t t_ms, const Histogram& h) {
  WriteHistogramLayout({h.schema, h.zero_threshold, h.positive_spans, h.negative_spans, h.custom_values}, bits_);
  WriteVarbitInt(t_ms, bits_);
  time_ = {t_ms, 0};
  if (is_float()) {
    for (auto [state, value] :
         {std::pair(&float_count_, h.count), {&float_zero_count_, h.zero_count}, {&sum_, h.sum}}) {
      state->Set(value);
      bits_.Bits(std::bit_cast<uint64_t>(value), 64);
    }
    for (auto [states, buckets] :
         {std::pair(&float_positive_, &h.positive_buckets), {&float_negative_, &h.negative_buckets}}) {
      for (double bucket : *buckets) {
        states->emplace_back(bucket);
        bits_.Bits(std::bit_cast<uint64_t>(bucket), 64);
      }
    }
    return;
  }
  int_count_ = {Integer(h.count), 0};
  int_zero_count_ = {Integer(h.zero_count), 0};
  WriteVarbitUint(static_cast<uint64_t>(int_count_.value), bits_);
  WriteVarbitUint(static_cast<uint64_t>(int_zero_count_.value), bits_);
  sum_.Set(h.sum);
  bits_.Bits(std::bit_cast<uint64_t>(h.sum), 64);
  for (auto [states, buckets] :
       {std::pair(&int_positive_, &h.positive_buckets), {&int_negative_, &h.negative_buckets}}) {
    int64_t last = 0;
    for (double bucket : *buckets) {
      states->push_back({WrappingMinus(Integer(bucket), last), 0});
      WriteVarbitInt(states->back().value, bits_);
      last = Integer(bucket);
    }
  }
}

void HistogramAppender::WriteNext(int64_t t_ms, const Histogram& h) {
  WriteDod(t_ms, &time_);
  if (is_float()) {
    float_count_.Write(h.count, bits_);
    float_zero_count_.Write(h.zero_count, bits_);
    sum_.Write(h.sum, bits_);
    for (size_t i = 0; i < h.positive_buckets.size(); ++i) float_positive_[i].Write(h.positive_buckets[i], bits_);
    for (size_t i = 0; i < h.negative_buckets.size(); ++i) float_negative_[i].Write(h.negative_buckets[i], bits_);
    return;
  }
  if (h.stale()) {  // the counts that a reader computes from here on mean nothing
    bits_.Bits(0, 2);
  } else {
    WriteDod(Integer(h.count), &int_count_);
    WriteDod(Integer(h.zero_count), &int_zero_count_);
  }
  sum_.Write(h.sum, bits_);
  for (auto [states, buckets] :
       {std::pair(&int_positive_, &h.positive_buckets), {&int_negative_, &h.negative_buckets}}) {
    int64_t last = 0;
    for (size_t i = 0; i < buckets->size(); ++i) {
      WriteDod(WrappingMinus(Integer((*buckets)[i]), last), &(*states)[i]);
      last = Integer((*buckets)[i]);
    }
  }
}

void HistogramAppender::WriteDod(int64_t value, DoubleDelta* state) {
  int64_t delta = WrappingMinus(value, state->value);
  WriteVarbitInt(WrappingMinus(delta, state->delta), bits_);
  *state = {value, delta};
}

}  // namespace gauntlet::tsdb
