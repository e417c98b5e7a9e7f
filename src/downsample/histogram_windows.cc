#include "downsample/histogram_windows.h"

#include <algorithm>
#include <string>

#include "base/check.h"
#include "downsample/float_windows.h"
#include "downsample/windows.h"
#include "model/histogram_arithmetic.h"
#include "tsdb/chunkenc/aggr_chunk.h"

namespace gauntlet::downsample {
namespace {

using tsdb::HistogramAppender;

void AppendTo(HistogramAppender& appender, int64_t time_ms, const Histogram& h) {
  // An empty appender as the one before says that a counter goes on, as upstream does.
  std::string finished;
  auto outcome = appender.Append(0, time_ms, h, &appender, &finished);
  GN_CHECK(outcome != HistogramAppender::Outcome::kNewChunk);
}

}  // namespace

HistogramAggregator::HistogramAggregator(std::span<const TimedHistogram> samples, int64_t resolution_ms, Wanted wanted)
    : samples_(samples), resolution_ms_(resolution_ms), wanted_(wanted) {
  if (samples.empty()) return;
  auto coarsest = std::min_element(samples.begin(), samples.end(), [](const auto& a, const auto& b) {
    return a.histogram->schema < b.histogram->schema;
  });
  schema_ = coarsest->histogram->schema;
  gauges_ = samples.front().histogram->reset_hint == ResetHint::kGauge;
}

bool HistogramAggregator::Next() {
  if (at_ == samples_.size()) return false;
  // A window never ends behind the samples: the next batch may begin within it.
  time_ms_ = std::min(WindowEnd(samples_[at_].time_ms, resolution_ms_), samples_.back().time_ms);
  for (count_ = 0; at_ < samples_.size() && samples_[at_].time_ms <= time_ms_; ++at_) Add(*samples_[at_].histogram);
  if (gauges_) counter_.reset_hint = ResetHint::kGauge;
  return true;
}

void HistogramAggregator::Add(const Histogram& original) {
  const Histogram* h = &original;
  if (original.schema > schema_) {
    Histogram& lowered = previous_ == &lowered_[0] ? lowered_[1] : lowered_[0];
    lowered = original;
    lowered.reset_hint = ResetHint::kUnknown;
    ReduceResolution(lowered, schema_);
    h = &lowered;
  }
  if ((wanted_ & kCounter) != 0) Count(original, *h);
  if ((wanted_ & kSum) != 0) {
    if (count_ == 0) {
      sum_ = *h;
    } else {
      AddHistogram(sum_, *h);
    }
    sum_.reset_hint = ResetHint::kGauge;  // a sum may be lower than the one before
  }
  previous_ = h;
  ++count_;
}

void HistogramAggregator::Count(const Histogram& original, const Histogram& h) {
  if (previous_ == nullptr) {
    counter_ = h;
  } else if (h.reset_hint != ResetHint::kGauge && DetectReset(original, *previous_)) {
    AddHistogram(counter_, h);
  } else {
    delta_ = h;
    SubtractHistogram(delta_, *previous_);
    AddHistogram(counter_, delta_);
  }
}

void HistogramChunkBuilder::Append(int64_t time_ms, double count, const Histogram* sum, const Histogram* counter) {
  bool fits = windows_ < kChunkWindowsMax && (sum == nullptr || sum_.Fits(*sum)) &&
              (counter == nullptr || counter_.Fits(*counter));
  if (!fits) Finish();
  if (windows_++ == 0) mint_ms_ = time_ms;
  maxt_ms_ = time_ms;
  if (count != 0) count_.Append(time_ms, count);
  if (sum != nullptr) AppendTo(sum_, time_ms, *sum);
  if (counter != nullptr) AppendTo(counter_, time_ms, *counter);
}

void HistogramChunkBuilder::Finish() {
  if (windows_ == 0) return;
  std::string count = count_.Release(), sum = sum_.Release(), counter = counter_.Release();
  tsdb::AggrChunkView view;
  view.parts[static_cast<size_t>(tsdb::Aggregate::kCount)] = {tsdb::Encoding::kXor, count};
  view.parts[static_cast<size_t>(tsdb::Aggregate::kSum)] = {tsdb::Encoding::kFloatHistogram, sum};
  view.parts[static_cast<size_t>(tsdb::Aggregate::kCounter)] = {tsdb::Encoding::kFloatHistogram, counter};
  out_.push_back({tsdb::Encoding::kAggregate, tsdb::EncodeAggrChunk(view), mint_ms_, maxt_ms_});
  windows_ = 0;
}

}  // namespace gauntlet::downsample
