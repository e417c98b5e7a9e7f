// Histogram windows: sum and counter of the histograms in each window of time, and the aggregate chunks that they make
// with the count. There is no least and greatest histogram, and counters do not hold first and last raw values.
//
// A chunk's histograms have one schema, zero bucket and custom bounds. Where a sum or counter does not fit to those
// before, a new aggregate chunk begins, in which the counter counts on. (Upstream keeps the part from there on only and
// loses what stood before.)
//
// Upstream: thanos pkg/compact/downsample (histogramAggregator, downsampleHistogramBatch, downsampleHistogramAggrBatch)
// Threads:  one thread at a time.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "model/histogram.h"
#include "tsdb/chunkenc/histogram_appender.h"
#include "tsdb/chunkenc/transcode.h"
#include "tsdb/chunkenc/xor.h"

namespace gauntlet::downsample {

// Borrows the histogram.
struct TimedHistogram {
  int64_t time_ms = 0;
  const Histogram* histogram = nullptr;
};

// Walks the windows of histograms. They are all exponential or all of custom bounds; results have the coarsest schema.
// Borrows them.
class HistogramAggregator {
 public:
  enum Wanted : uint8_t { kSum = 1, kCounter = 2, kBoth = 3 };

  HistogramAggregator(std::span<const TimedHistogram> samples, int64_t resolution_ms, Wanted wanted);
  HistogramAggregator(const HistogramAggregator&) = delete;

  // To the next window; false at the end.
  bool Next();
  int64_t time_ms() const { return time_ms_; }
  size_t count() const { return count_; }
  const Histogram& sum() const { return sum_; }
  const Histogram& counter() const { return counter_; }

 private:
  void Add(const Histogram& h);
  void Count(const Histogram& original, const Histogram& lowered);

  const std::span<const TimedHistogram> samples_;
  const int64_t resolution_ms_;
  const Wanted wanted_;
  int32_t schema_ = 0;
  bool gauges_ = false;  // as the first one says
  size_t at_ = 0, count_ = 0;
  int64_t time_ms_ = 0;
  Histogram sum_, counter_, delta_;
  Histogram lowered_[2];  // in turn, so that the one before stays
  const Histogram* previous_ = nullptr;
};

// Collects windows into aggregate chunks.
class HistogramChunkBuilder {
 public:
  explicit HistogramChunkBuilder(std::vector<tsdb::EncodedChunk>* out) : out_(*out) {}

  // In order of time. A count of 0 and null are absent parts.
  void Append(int64_t time_ms, double count, const Histogram* sum, const Histogram* counter);
  // Hands over what is left.
  void Finish();

 private:
  std::vector<tsdb::EncodedChunk>& out_;
  tsdb::XorAppender count_;
  tsdb::HistogramAppender sum_{tsdb::Encoding::kFloatHistogram}, counter_{tsdb::Encoding::kFloatHistogram};
  size_t windows_ = 0;
  int64_t mint_ms_ = 0, maxt_ms_ = 0;
};

}  // namespace gauntlet::downsample
