#include "downsample/float_windows.h"

#include <algorithm>
#include <limits>
#include <string>

#include "downsample/windows.h"
#include "tsdb/chunkenc/aggr_chunk.h"
#include "tsdb/chunkenc/xor.h"

namespace gauntlet::downsample {
namespace {

// The index behind the last sample of the window that begins at sample `begin`. Windows mostly hold as many samples as
// the one before.
size_t WindowBound(std::span<const int64_t> times_ms, size_t begin, int64_t end_ms, size_t guess) {
  size_t i = begin + guess;
  if (i >= times_ms.size() || times_ms[i - 1] > end_ms) i = begin + 1;
  while (i < times_ms.size() && times_ms[i] <= end_ms) ++i;
  return i;
}

}  // namespace

void FloatWindows::Clear() {
  times_ms.clear();
  for (auto* column : {&count, &sum, &min, &max, &counter}) column->clear();
}

void AggregateWindows(std::span<const int64_t> times_ms, std::span<const double> values, int64_t resolution_ms,
                      FloatWindows* out) {
  const int64_t last_time = times_ms.back();
  double counter = values[0], last = values[0];
  size_t in_window = 1;
  for (size_t begin = 0; begin < times_ms.size();) {
    // A window never ends behind the samples: the next batch may begin within it.
    int64_t end_ms = std::min(WindowEnd(times_ms[begin], resolution_ms), last_time);
    size_t end = WindowBound(times_ms, begin, end_ms, in_window);
    in_window = end - begin;
    double sum = 0, min = std::numeric_limits<double>::max(), max = -std::numeric_limits<double>::max();
    size_t i = begin;
    if (begin == 0) {  // the first sample only sets the counter
      sum += values[0];
      if (values[0] < min) min = values[0];
      if (values[0] > max) max = values[0];
      i = 1;
    }
    for (; i < end; ++i) {
      double v = values[i];
      counter += v < last ? v : v - last;
      last = v;
      sum += v;
      min = v < min ? v : min;
      max = v > max ? v : max;
    }
    out->times_ms.push_back(end_ms);
    out->count.push_back(static_cast<double>(in_window));
    out->sum.push_back(sum);
    out->min.push_back(min);
    out->max.push_back(max);
    out->counter.push_back(counter);
    begin = end;
  }
}

std::string EncodePart(std::span<const int64_t> times_ms, std::span<const double> values) {
  tsdb::XorAppender appender;
  for (size_t i = 0; i < times_ms.size(); ++i) appender.Append(times_ms[i], values[i]);
  return appender.Release();
}

std::string EncodeCounterPart(int64_t first_ms, double first, const FloatWindows& windows, double last) {
  tsdb::XorAppender appender;
  appender.Append(first_ms, first);
  for (size_t i = 0; i < windows.size(); ++i) appender.Append(windows.times_ms[i], windows.counter[i]);
  appender.Append(windows.times_ms.back(), last);
  return appender.Release();
}

tsdb::EncodedChunk EncodeWindows(int64_t first_ms, double first, const FloatWindows& windows, double last) {
  const auto& times = windows.times_ms;
  const std::string parts[tsdb::kAggregates] = {EncodePart(times, windows.count), EncodePart(times, windows.sum),
                                                EncodePart(times, windows.min), EncodePart(times, windows.max),
                                                EncodeCounterPart(first_ms, first, windows, last)};
  tsdb::AggrChunkView view;
  for (size_t i = 0; i < tsdb::kAggregates; ++i) view.parts[i] = {tsdb::Encoding::kXor, parts[i]};
  return {tsdb::Encoding::kAggregate, tsdb::EncodeAggrChunk(view), times.front(), times.back()};
}

}  // namespace gauntlet::downsample
