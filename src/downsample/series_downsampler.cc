#include "downsample/series_downsampler.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "base/check.h"
#include "downsample/counter_line.h"
#include "downsample/windows.h"
#include "model/stale.h"
#include "tsdb/chunkenc/bit_reader.h"
#include "tsdb/chunkenc/histogram_layout.h"

namespace gauntlet::downsample {
namespace {

using tsdb::Aggregate;
using tsdb::ChunkView;
using tsdb::Encoding;

Status CheckOrder(std::span<const TimedChunk> chunks) {
  for (size_t i = 1; i < chunks.size(); ++i) {
    if (chunks[i].mint_ms > chunks[i - 1].maxt_ms) continue;
    return Status(Code::kCorrupt,
                  fmt::format("the chunk from {} to {} does not end before the one from {} to {} begins",
                              chunks[i - 1].mint_ms, chunks[i - 1].maxt_ms, chunks[i].mint_ms, chunks[i].maxt_ms));
  }
  return Status();
}

// Appends a chunk's samples, which must not be earlier than those there.
Status DecodeBehind(ChunkView chunk, Samples* samples) {
  size_t base = samples->size();
  GN_TRY(tsdb::DecodeChunk(chunk, samples));
  if (base == 0 || samples->size() == base || samples->times_ms[base] >= samples->times_ms[base - 1]) return Status();
  return Status(Code::kCorrupt, fmt::format("a chunk's first sample is at {}, behind one at {}",
                                            samples->times_ms[base], samples->times_ms[base - 1]));
}

bool AnyNan(std::span<const double> values) {
  bool any = false;
  for (double v : values) any |= v != v;
  return any;
}

void DropStale(Samples* samples) {
  size_t kept = 0;
  for (size_t i = 0; i < samples->size(); ++i) {
    if (IsStaleNaN(samples->values[i])) continue;
    samples->times_ms[kept] = samples->times_ms[i];
    samples->values[kept++] = samples->values[i];
  }
  samples->times_ms.resize(kept);
  samples->values.resize(kept);
}

void ForgetNotReset(Histogram* h) {
  if (h->reset_hint == ResetHint::kNotReset) h->reset_hint = ResetHint::kUnknown;
}

// Batches of `size` samples and what more lies in the window of the last one.
template <typename TimeAt>
size_t BatchEnd(size_t begin, size_t size, size_t samples, int64_t resolution_ms, TimeAt time_at) {
  size_t end = std::min(begin + size, samples);
  int64_t window_end = WindowEnd(time_at(end - 1), resolution_ms);
  while (end < samples && time_at(end) <= window_end) ++end;
  return end;
}

Status TooManyWindows(size_t windows) {
  return Status(Code::kUnsupported, fmt::format("{} windows of one series would go into one chunk", windows));
}

}  // namespace

SeriesDownsampler::SeriesDownsampler(int64_t from_resolution_ms, int64_t resolution_ms)
    : from_resolution_ms_(from_resolution_ms), resolution_ms_(resolution_ms) {
  GN_CHECK(from_resolution_ms >= 0 && from_resolution_ms < resolution_ms);
}

Status SeriesDownsampler::Downsample(std::span<const TimedChunk> chunks, Output* out) {
  GN_TRY(CheckOrder(chunks));
  return from_resolution_ms_ == 0 ? FromRaw(chunks, out) : FromAggregates(chunks, out);
}

Status SeriesDownsampler::FromRaw(std::span<const TimedChunk> chunks, Output* out) {
  samples_.Clear();
  for (size_t i = 0; i < chunks.size(); ++i) {
    ChunkView chunk = chunks[i].chunk;
    if (i > 0 && IsHistogramEncoding(chunk.encoding) != IsHistogramEncoding(chunks[i - 1].chunk.encoding)) {
      GN_TRY(RawSamples(resolution_ms_, out));
      samples_.Clear();
    }
    GN_TRY(DecodeBehind(chunk, &samples_));
  }
  return RawSamples(resolution_ms_, out);
}

Status SeriesDownsampler::RawSamples(int64_t resolution_ms, Output* out) {
  if (samples_.floats_only()) return RawFloats(resolution_ms, out);
  histograms_.clear();
  for (HistogramSample& sample : samples_.histograms) {
    Histogram& h = sample.histogram;
    if (h.stale()) continue;
    h.is_float = true;
    if (!histograms_.empty() && histograms_.back().histogram->uses_custom_buckets() != h.uses_custom_buckets()) {
      RawHistograms(histograms_, resolution_ms, out);
      histograms_.clear();
    }
    histograms_.push_back({samples_.times_ms[sample.position], &h});
  }
  RawHistograms(histograms_, resolution_ms, out);
  return Status();
}

Status SeriesDownsampler::RawFloats(int64_t resolution_ms, Output* out) {
  bool nan = AnyNan(samples_.values);
  if (nan) DropStale(&samples_);
  const size_t n = samples_.size();
  if (n == 0) return Status();
  std::span<const int64_t> all_times = samples_.times_ms;
  std::span<const double> all_values = samples_.values;
  size_t size = n / TargetChunks(all_times.front(), all_times.back(), kRawIntervalMs, resolution_ms, n) + 1;
  for (size_t begin = 0, end; begin < n; begin = end) {
    end = BatchEnd(begin, size, n, resolution_ms, [&](size_t i) { return all_times[i]; });
    auto times = all_times.subspan(begin, end - begin);
    auto values = all_values.subspan(begin, end - begin);
    if (nan) {
      batch_times_.clear();
      batch_values_.clear();
      for (size_t i = 0; i < times.size(); ++i) {
        if (std::isnan(values[i])) continue;
        batch_times_.push_back(times[i]);
        batch_values_.push_back(values[i]);
      }
      if (batch_times_.empty()) continue;
      times = batch_times_;
      values = batch_values_;
    }
    windows_.Clear();
    AggregateWindows(times, values, resolution_ms, &windows_);
    if (windows_.size() > kChunkWindowsMax) return TooManyWindows(windows_.size());
    out->push_back(EncodeWindows(times.front(), values.front(), windows_, values.back()));
  }
  return Status();
}

void SeriesDownsampler::RawHistograms(std::span<const TimedHistogram> histograms, int64_t resolution_ms, Output* out) {
  const size_t n = histograms.size();
  if (n == 0) return;
  size_t chunks = TargetChunks(histograms.front().time_ms, histograms.back().time_ms, kRawIntervalMs, resolution_ms, n);
  HistogramChunkBuilder builder(out);
  for (size_t begin = 0, end; begin < n; begin = end) {
    end = BatchEnd(begin, n / chunks + 1, n, resolution_ms, [&](size_t i) { return histograms[i].time_ms; });
    batch_histograms_.clear();
    for (const TimedHistogram& h : histograms.subspan(begin, end - begin)) {
      if (!std::isnan(h.histogram->sum)) batch_histograms_.push_back(h);
    }
    HistogramAggregator windows(batch_histograms_, resolution_ms, HistogramAggregator::kBoth);
    while (windows.Next()) {
      builder.Append(windows.time_ms(), static_cast<double>(windows.count()), &windows.sum(), &windows.counter());
    }
    builder.Finish();
  }
}

// ---- from aggregates

Result<SeriesDownsampler::Input> SeriesDownsampler::MakeInput(int64_t mint_ms, int64_t maxt_ms,
                                                              std::string_view bytes) {
  Input input{mint_ms, maxt_ms, Kind::kFloats, {}};
  GN_ASSIGN(input.parts, tsdb::ParseAggrChunk(bytes));
  ChunkView counter = input.parts[input.parts.has(Aggregate::kCounter) ? Aggregate::kCounter : Aggregate::kSum];
  if (!IsHistogramEncoding(counter.encoding)) return input;
  tsdb::HistogramLayout layout;
  tsdb::PaddedBytes padded(counter.bytes);
  tsdb::BitReader in(padded, tsdb::HistogramHeader::kBytes);
  if (SampleCount(counter) != 0 && !ReadHistogramLayout(in, &layout)) {
    return Status(Code::kCorrupt,
                  fmt::format("histogram counter from {} to {} has no readable layout", mint_ms, maxt_ms));
  }
  input.kind = layout.schema == kCustomBucketsSchema ? Kind::kCustom : Kind::kExponential;
  return input;
}

Status SeriesDownsampler::CollectInputs(std::span<const TimedChunk> chunks) {
  inputs_.clear();
  repaired_.clear();
  // Raw chunks that stand among aggregates are aggregated first. (Early versions of Thanos wrote such blocks, and empty
  // chunks, too.)
  for (const TimedChunk& chunk : chunks) {
    if (chunk.chunk.encoding == Encoding::kAggregate || SampleCount(chunk.chunk) == 0) continue;
    samples_.Clear();
    GN_TRY(tsdb::DecodeChunk(chunk.chunk, &samples_));
    GN_TRY(RawSamples(from_resolution_ms_, &repaired_));
  }
  auto repaired = repaired_.begin();
  for (const TimedChunk& chunk : chunks) {
    if (chunk.chunk.encoding == Encoding::kAggregate) {
      GN_ASSIGN(Input input, MakeInput(chunk.mint_ms, chunk.maxt_ms, chunk.chunk.bytes));
      inputs_.push_back(input);
      continue;
    }
    for (; repaired != repaired_.end() && repaired->mint_ms <= chunk.maxt_ms; ++repaired) {
      GN_ASSIGN(Input input, MakeInput(repaired->mint_ms, repaired->maxt_ms, repaired->bytes));
      inputs_.push_back(input);
    }
  }
  return Status();
}

Status SeriesDownsampler::FromAggregates(std::span<const TimedChunk> chunks, Output* out) {
  GN_TRY(CollectInputs(chunks));
  for (size_t begin = 0, end; begin < inputs_.size(); begin = end) {
    for (end = begin + 1; end < inputs_.size() && inputs_[end].kind == inputs_[begin].kind;) ++end;
    GN_TRY(AggregateRun(std::span(inputs_).subspan(begin, end - begin), out));
  }
  return Status();
}

Status SeriesDownsampler::AggregateRun(std::span<const Input> run, Output* out) {
  size_t samples = 0;
  for (const Input& input : run) samples += SampleCount(input.parts[Aggregate::kCount]);
  size_t chunks = TargetChunks(run.front().mint_ms, run.back().maxt_ms, from_resolution_ms_, resolution_ms_, samples);
  size_t size = std::max<size_t>(run.size() / chunks, 1);
  for (size_t begin = 0; begin < run.size(); begin += size) {
    auto batch = run.subspan(begin, std::min(size, run.size() - begin));
    GN_TRY(run.front().kind == Kind::kFloats ? FloatBatch(batch, out) : HistogramBatch(batch, out));
  }
  return Status();
}

Status SeriesDownsampler::DecodePart(std::span<const Input> batch, Aggregate aggregate, Samples* samples) {
  samples->Clear();
  for (const Input& input : batch) {
    if (!input.parts.has(aggregate)) continue;
    size_t base = samples->histograms.size();
    GN_TRY(DecodeBehind(input.parts[aggregate], samples).Wrap(tsdb::AggregateName(aggregate)));
    // The writer did not look at the chunk before.
    if (base != 0 && base < samples->histograms.size()) ForgetNotReset(&samples->histograms[base].histogram);
  }
  if (!samples->histograms.empty() && samples->histograms.size() != samples->size()) {
    return Status(Code::kCorrupt, fmt::format("{} has floats beside histograms", tsdb::AggregateName(aggregate)));
  }
  if (samples->floats_only() && AnyNan(samples->values)) DropStale(samples);
  return Status();
}

Status SeriesDownsampler::FloatBatch(std::span<const Input> batch, Output* out) {
  std::string parts[tsdb::kAggregates];
  tsdb::AggrChunkView view;
  tsdb::EncodedChunk chunk{Encoding::kAggregate, "", std::numeric_limits<int64_t>::max(),
                           std::numeric_limits<int64_t>::min()};
  auto aggregate = [&](std::span<const int64_t> times, std::span<const double> values) {
    windows_.Clear();
    AggregateWindows(times, values, resolution_ms_, &windows_);
    if (windows_.size() > kChunkWindowsMax) return TooManyWindows(windows_.size());
    chunk.mint_ms = std::min(chunk.mint_ms, windows_.times_ms.front());
    chunk.maxt_ms = std::max(chunk.maxt_ms, windows_.times_ms.back());
    return Status();
  };
  auto set = [&](Aggregate part, std::string bytes) {
    auto i = static_cast<size_t>(part);
    parts[i] = std::move(bytes);
    view.parts[i] = {Encoding::kXor, parts[i]};
  };
  for (Aggregate part : {Aggregate::kCount, Aggregate::kSum, Aggregate::kMin, Aggregate::kMax}) {
    GN_TRY(DecodePart(batch, part, &samples_));
    if (samples_.size() == 0) continue;
    if (!samples_.floats_only()) return Status(Code::kCorrupt, "histograms among the parts of a float aggregate");
    GN_TRY(aggregate(samples_.times_ms, samples_.values));
    set(part, EncodePart(windows_.times_ms, part == Aggregate::kMin   ? windows_.min
                                            : part == Aggregate::kMax ? windows_.max
                                                                      : windows_.sum));
  }
  GN_TRY(DecodePart(batch, Aggregate::kCounter, &samples_));
  CounterLine line;
  batch_times_.clear();
  batch_values_.clear();
  for (size_t i = 0; i < samples_.size() && samples_.floats_only(); ++i) {
    if (!line.Take(samples_.times_ms[i], samples_.values[i])) continue;
    batch_times_.push_back(line.time);
    batch_values_.push_back(line.total);
  }
  if (!batch_times_.empty()) {
    GN_TRY(aggregate(batch_times_, batch_values_));
    set(Aggregate::kCounter, EncodeCounterPart(batch_times_.front(), batch_values_.front(), windows_, line.value));
  }
  if (chunk.mint_ms > chunk.maxt_ms) return Status();  // nothing in it
  chunk.bytes = tsdb::EncodeAggrChunk(view);
  out->push_back(std::move(chunk));
  return Status();
}

Status SeriesDownsampler::HistogramBatch(std::span<const Input> batch, Output* out) {
  // Decodes a part and lists what is no stale marker.
  auto list = [&](Aggregate part, Samples* samples, std::vector<TimedHistogram>* listed) {
    GN_TRY(DecodePart(batch, part, samples));
    listed->clear();
    for (HistogramSample& sample : samples->histograms) {
      if (sample.histogram.stale()) continue;
      sample.histogram.is_float = true;
      listed->push_back({samples->times_ms[sample.position], &sample.histogram});
    }
    return Status();
  };
  GN_TRY(DecodePart(batch, Aggregate::kCount, &samples_));
  if (!samples_.floats_only()) return Status(Code::kCorrupt, "the count of an aggregate is no number");
  windows_.Clear();
  if (samples_.size() != 0) AggregateWindows(samples_.times_ms, samples_.values, resolution_ms_, &windows_);
  GN_TRY(list(Aggregate::kSum, &sums_, &histograms_));
  GN_TRY(list(Aggregate::kCounter, &samples_, &batch_histograms_));

  HistogramAggregator sums(histograms_, resolution_ms_, HistogramAggregator::kSum);
  HistogramAggregator counters(batch_histograms_, resolution_ms_, HistogramAggregator::kCounter);
  HistogramChunkBuilder builder(out);
  // The parts have the same windows, unless the block comes from a Thanos that lost some.
  bool sum = sums.Next(), counter = counters.Next();
  for (size_t i = 0; i < windows_.size() || sum || counter;) {
    int64_t time = std::numeric_limits<int64_t>::max();
    if (i < windows_.size()) time = windows_.times_ms[i];
    if (sum) time = std::min(time, sums.time_ms());
    if (counter) time = std::min(time, counters.time_ms());
    bool count_here = i < windows_.size() && windows_.times_ms[i] == time;
    bool sum_here = sum && sums.time_ms() == time, counter_here = counter && counters.time_ms() == time;
    builder.Append(time, count_here ? windows_.sum[i] : 0, sum_here ? &sums.sum() : nullptr,
                   counter_here ? &counters.counter() : nullptr);
    if (count_here) ++i;
    if (sum_here) sum = sums.Next();
    if (counter_here) counter = counters.Next();
  }
  builder.Finish();
  return Status();
}

}  // namespace gauntlet::downsample
