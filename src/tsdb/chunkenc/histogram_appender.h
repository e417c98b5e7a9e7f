// HistogramAppender: writes histogram chunks, integer or float, with or without start times.
//
// All samples of a chunk share one bucket layout, and a counter never falls within a chunk. So a sample may make the
// chunk be rewritten with more buckets, or begin a new chunk.
//
// Format:   histogram_decode.h
// Upstream: prometheus tsdb/chunkenc/histogram.go, float_histogram.go (AppendHistogram, appendable, recode)

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/histogram.h"
#include "tsdb/chunkenc/bit_writer.h"
#include "tsdb/chunkenc/bucket_layout.h"
#include "tsdb/chunkenc/encoding.h"
#include "tsdb/chunkenc/histogram_layout.h"
#include "tsdb/chunkenc/start_times.h"
#include "tsdb/chunkenc/value_window.h"

namespace gauntlet::tsdb {

// bytes() is a valid chunk after each Append. One thread at a time.
class HistogramAppender {
 public:
  enum class Outcome {
    kAppended,
    kRewritten,  // as kAppended, but all bytes of the chunk may have changed
    kNewChunk,   // the chunk is finished and handed over; the sample is the first of a new one
  };

  // REQUIRES: IsHistogramEncoding(encoding)
  explicit HistogramAppender(Encoding encoding);

  // Appends a sample. Into an empty chunk it goes always; the reset header then follows from `previous`, the writer of
  // the series' chunk before, if there is one (may be null). `finished` is written when the outcome is kNewChunk.
  // REQUIRES: h.is_float as the encoding says, as many buckets as its spans name, count() < max_count().
  Outcome Append(int64_t start_ms, int64_t t_ms, const Histogram& h, const HistogramAppender* previous,
                 std::string* finished);

  // Whether a sample can be appended without a new chunk.
  bool Fits(const Histogram& h) const { return count_ == 0 || (count_ < max_count() && Judge(h).fits); }

  Encoding encoding() const { return encoding_; }
  uint16_t count() const { return count_; }
  uint16_t max_count() const { return HasStartTimes(encoding_) ? 0x3fff : 0xffff; }
  ResetHeader reset_header() const { return reset_; }
  std::string_view bytes() const { return bits_.bytes(); }
  // The chunk; the appender begins anew.
  std::string Release();

 private:
  // Whether a sample can stand behind the last one, and if not, what is known about a reset.
  struct Verdict {
    bool fits = false;
    ResetHeader reset = ResetHeader::kNotReset;
    BucketChange positive, negative;
  };
  // One integer that is written as delta of delta, with the arithmetic of the format (wrapping).
  struct DoubleDelta {
    int64_t value = 0, delta = 0;
  };

  bool is_float() const { return IsFloatHistogram(encoding_); }
  Verdict Judge(const Histogram& h) const;
  Verdict JudgeCounter(const Histogram& h) const;
  Verdict JudgeLayout(const Histogram& h, bool counter) const;
  void SetFirstHeader(const Histogram& h, const HistogramAppender* previous);
  // Rewrites all samples with the layout of these spans.
  void Rewrite(const std::vector<HistogramSpan>& positive, const std::vector<HistogramSpan>& negative);

  void Write(int64_t start_ms, int64_t t_ms, const Histogram& h);
  void WriteFirst(int64_t t_ms, const Histogram& h);
  void WriteNext(int64_t t_ms, const Histogram& h);
  void WriteDod(int64_t value, DoubleDelta* state);

  Encoding encoding_;
  BitWriter bits_{HistogramHeader::kBytes};
  uint16_t count_ = 0;
  ResetHeader reset_ = ResetHeader::kUnknown;
  Histogram last_;  // with the layout of the chunk
  DoubleDelta time_, int_count_, int_zero_count_;
  std::vector<DoubleDelta> int_positive_, int_negative_;  // differences between neighbours
  XorValue sum_, float_count_, float_zero_count_;
  std::vector<XorValue> float_positive_, float_negative_;
  StartTimeWriter start_times_;
};

}  // namespace gauntlet::tsdb
