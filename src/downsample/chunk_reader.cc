#include "downsample/chunk_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include "downsample/counter_line.h"
#include "model/stale.h"

namespace gauntlet::downsample {
namespace {

using tsdb::Aggregate;
using tsdb::ChunkView;
using tsdb::SeriesChunk;

constexpr int64_t kNoTime = CounterLine::kNoTime;

// The first time that may still be given: after the samples of this series in `out`.
int64_t After(const Samples& out, size_t base, int64_t mint_ms) {
  return out.size() == base ? mint_ms : std::max(mint_ms, out.times_ms.back() + 1);
}

void Divide(double by, Histogram* h) {
  h->count /= by;
  h->zero_count /= by;
  h->sum /= by;
  for (double& bucket : h->positive_buckets) bucket /= by;
  for (double& bucket : h->negative_buckets) bucket /= by;
}

Status Missing(const SeriesChunk& chunk) {
  return Status(Code::kInvalid, fmt::format("chunk from {} to {} has neither raw samples nor the aggregate needed",
                                            chunk.mint_ms, chunk.maxt_ms));
}

Aggregate PartFor(Reading reading) {
  switch (reading) {
    case Reading::kCount:
    case Reading::kSampleCounts:
      return Aggregate::kCount;
    case Reading::kMin:
      return Aggregate::kMin;
    case Reading::kMax:
      return Aggregate::kMax;
    case Reading::kCounter:
      return Aggregate::kCounter;
    case Reading::kSum:
    case Reading::kAverage:
      break;
  }
  return Aggregate::kSum;
}

// How many of the first chunks satisfy `serves`.
template <typename Predicate>
size_t LeadingRun(std::span<const SeriesChunk> chunks, Predicate serves) {
  return static_cast<size_t>(std::ranges::find_if_not(chunks, serves) - chunks.begin());
}

// Makes the samples from `base` on count 1 each; stale markers stay.
void CountEach(size_t base, Samples* out) {
  auto histogram = std::partition_point(out->histograms.begin(), out->histograms.end(),
                                        [&](const HistogramSample& h) { return h.position < base; });
  for (auto h = histogram; h != out->histograms.end(); ++h) {
    out->values[h->position] = h->histogram.stale() ? StaleNaN() : 0;
  }
  out->histograms.erase(histogram, out->histograms.end());
  for (size_t i = base; i < out->size(); ++i) {
    if (!IsStaleNaN(out->values[i])) out->values[i] = 1;
  }
}

}  // namespace

Reading ReadingFor(std::string_view function) {
  if (function == "min" || function.starts_with("min_") || function == "ts_of_min_over_time") return Reading::kMin;
  if (function == "max" || function.starts_with("max_") || function == "ts_of_max_over_time") return Reading::kMax;
  if (function == "count" || function.starts_with("count_")) return Reading::kCount;
  if (function.starts_with("sum_")) return Reading::kSum;  // not "sum": that adds up series, each as it stands
  for (std::string_view counter : {"increase", "rate", "irate", "resets", "xincrease", "xrate"}) {
    if (function == counter) return Reading::kCounter;
  }
  return Reading::kAverage;
}

Status ChunkReader::Read(std::span<const SeriesChunk> chunks, int64_t mint_ms, int64_t maxt_ms, Samples* out) {
  if (reading_ == Reading::kCounter) return ReadCounters(chunks, mint_ms, maxt_ms, out);
  const size_t base = out->size();
  auto raw_serves = [this](const SeriesChunk& chunk) {
    if (!chunk.has_raw()) return false;
    return reading_ == Reading::kAverage || !chunk.aggregates.has(PartFor(reading_));
  };
  while (!chunks.empty()) {
    int64_t from = After(*out, base, mint_ms);
    if (size_t run = LeadingRun(chunks, raw_serves); run != 0) {
      size_t first = out->size();
      GN_TRY(ReadRaw(chunks.first(run), from, maxt_ms, out));
      if (reading_ == Reading::kSampleCounts) CountEach(first, out);
      chunks = chunks.subspan(run);
      continue;
    }
    const SeriesChunk& chunk = chunks.front();
    chunks = chunks.subspan(1);
    ChunkView part = chunk.aggregates[PartFor(reading_)];
    if (part.encoding == tsdb::Encoding::kNone) {
      // Histograms have no least and greatest.
      if (reading_ != Reading::kMin && reading_ != Reading::kMax) return Missing(chunk);
    } else if (reading_ == Reading::kAverage) {
      GN_TRY(ReadAverage(chunk, from, maxt_ms, out));
    } else {
      GN_TRY(tsdb::DecodeChunk(part, from, maxt_ms, out));
    }
  }
  return Status();
}

Status ChunkReader::ReadRaw(std::span<const SeriesChunk> chunks, int64_t mint_ms, int64_t maxt_ms, Samples* out) {
  views_.clear();
  for (const SeriesChunk& chunk : chunks) views_.push_back(chunk.raw);
  return tsdb::DecodeChunks(views_, mint_ms, maxt_ms, out);
}

Status ChunkReader::ReadAverage(const SeriesChunk& chunk, int64_t mint_ms, int64_t maxt_ms, Samples* out) {
  if (!chunk.aggregates.has(Aggregate::kCount)) return Missing(chunk);
  buffer_.Clear();
  counts_.Clear();
  GN_TRY(tsdb::DecodeChunk(chunk.aggregates[Aggregate::kSum], mint_ms, maxt_ms, &buffer_));
  GN_TRY(tsdb::DecodeChunk(chunk.aggregates[Aggregate::kCount], mint_ms, maxt_ms, &counts_));
  if (buffer_.times_ms != counts_.times_ms) {
    return Status(Code::kCorrupt, fmt::format("chunk from {} to {}: sum and count timestamps not aligned",
                                              chunk.mint_ms, chunk.maxt_ms));
  }
  for (size_t i = 0; i < buffer_.size(); ++i) buffer_.values[i] /= counts_.values[i];
  for (auto& h : buffer_.histograms) Divide(counts_.values[h.position], &h.histogram);
  AppendRange(buffer_, 0, buffer_.size(), out);
  return Status();
}

// What the counter chunks since the last raw one make.
struct ChunkReader::Line {
  CounterLine counter;
  size_t begin = 0;        // index in `out` of its first sample given
  bool after_raw = false;  // whether raw samples stand before it
};

Status ChunkReader::ReadCounterChunk(ChunkView part, int64_t mint_ms, int64_t maxt_ms, Line* line, Samples* out) {
  buffer_.Clear();
  GN_TRY(tsdb::DecodeChunk(part, kNoTime, maxt_ms, &buffer_));
  // Histogram counters end without a last raw value. That the writer of a downsampled chunk saw no reset only holds
  // within the chunk: its first sample is left to be compared with the one before.
  if (!buffer_.histograms.empty()) {
    ResetHint& first = buffer_.histograms.front().histogram.reset_hint;
    if (first == ResetHint::kNotReset) first = ResetHint::kUnknown;
  }
  auto histogram = buffer_.histograms.begin();
  for (size_t i = 0; i < buffer_.size(); ++i) {
    int64_t t = buffer_.times_ms[i];
    if (histogram != buffer_.histograms.end() && histogram->position == i) {
      ++histogram;
      if (t <= line->counter.time) continue;
      line->counter.time = t;
      if (t >= mint_ms) AppendRange(buffer_, i, i + 1, out);
      continue;
    }
    if (!line->counter.Take(t, buffer_.values[i]) || t < mint_ms) continue;
    out->times_ms.push_back(t);
    out->values.push_back(line->counter.total);
    if (!out->start_times_ms.empty()) out->start_times_ms.push_back(0);
  }
  return Status();
}

Status ChunkReader::ReadCounters(std::span<const SeriesChunk> chunks, int64_t mint_ms, int64_t maxt_ms, Samples* out) {
  const size_t base = out->size();
  Line line;
  line.begin = base;
  auto counter_of = [this](const SeriesChunk& chunk) {
    ChunkView counter = chunk.aggregates[Aggregate::kCounter];
    bool corrected = counter.encoding == tsdb::Encoding::kNone && raw_counters_ == RawCounters::kCorrected;
    return corrected ? chunk.raw : counter;
  };
  auto raw_serves = [&](const SeriesChunk& chunk) {
    return chunk.has_raw() && counter_of(chunk).encoding == tsdb::Encoding::kNone;
  };
  while (!chunks.empty()) {
    ChunkView counter = counter_of(chunks.front());
    if (counter.encoding != tsdb::Encoding::kNone) {
      GN_TRY(ReadCounterChunk(counter, mint_ms, maxt_ms, &line, out));
      chunks = chunks.subspan(1);
      continue;
    }
    const size_t run = LeadingRun(chunks, raw_serves);
    if (run == 0) return Missing(chunks.front());
    double hidden = line.counter.any ? line.counter.total - line.counter.value
                                     : 0;  // what the line is above the raw values at its end
    for (size_t i = line.begin; i < out->size() && hidden != 0; ++i) {
      if (!line.after_raw || out->values[i] >= hidden) out->values[i] -= hidden;
    }
    int64_t from = After(*out, base, line.counter.time == kNoTime ? mint_ms : std::max(mint_ms, line.counter.time + 1));
    GN_TRY(ReadRaw(chunks.first(run), from, maxt_ms, out));
    chunks = chunks.subspan(run);
    line = Line();
    line.begin = out->size();
    line.counter.time = out->size() == base ? kNoTime : out->times_ms.back();
    line.after_raw = true;
  }
  return Status();
}

}  // namespace gauntlet::downsample
