// ChunkReader: downsampled chunks as samples: which aggregate a function is answered from, and counters joined across
// chunks. Raw chunks among them pass unaltered.
//
// Upstream: thanos pkg/query/iter.go, pkg/compact/downsample (ApplyCounterResetsSeriesIterator, AverageChunkIterator).
//           There raw samples of counter functions lose their resets and stale markers too, and resets() is always 0;
//           here they pass unaltered unless asked for otherwise.
// Threads:  one thread at a time.

#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/status.h"
#include "model/samples.h"
#include "tsdb/chunkenc/aggr_chunk.h"

namespace gauntlet::downsample {

// What a downsampled window stands for.
enum class Reading : uint8_t {
  kAverage,
  kCount,
  kSum,
  kMin,
  kMax,
  kCounter,
  kSampleCounts,  // as kCount, and a raw sample, float or histogram, is 1: they add up to count_over_time
};

// For the function that the samples are selected for: "min_over_time" -> kMin, "rate" -> kCounter, else the average.
Reading ReadingFor(std::string_view function);

enum class RawCounters : uint8_t {
  kUnaltered,
  kCorrected,  // part of the rising line, NaN and stale markers dropped, as upstream
};

// Reused for many series, so that its buffers are allocated once. One thread at a time.
class ChunkReader {
 public:
  explicit ChunkReader(Reading reading, RawCounters raw_counters = RawCounters::kUnaltered)
      : reading_(reading), raw_counters_(raw_counters) {}

  // Appends the samples of one series within [mint_ms, maxt_ms]. The chunks are in order of time; where one overlaps
  // the one before, its samples up to the last one given are dropped. Each has raw samples or the aggregates needed,
  // else kInvalid; one without a least or greatest is of histograms, which have none, and gives nothing. kCorrupt when
  // bytes do not decode, or count and sum stand at different times.
  //
  // Counters: the windows of a chunk count on from its first raw value, over all resets, so the chunks are joined into
  // one rising line. If raw chunks follow, the line is lowered as a whole to end at the last raw value. If raw chunks
  // stand on both sides, it cannot join both, and falls once, by as much as its resets hid.
  Status Read(std::span<const tsdb::SeriesChunk> chunks, int64_t mint_ms, int64_t maxt_ms, Samples* out);

 private:
  struct Line;

  // Without the samples before mint_ms.
  Status ReadRaw(std::span<const tsdb::SeriesChunk> chunks, int64_t mint_ms, int64_t maxt_ms, Samples* out);
  Status ReadAverage(const tsdb::SeriesChunk& chunk, int64_t mint_ms, int64_t maxt_ms, Samples* out);
  Status ReadCounters(std::span<const tsdb::SeriesChunk> chunks, int64_t mint_ms, int64_t maxt_ms, Samples* out);
  Status ReadCounterChunk(tsdb::ChunkView part, int64_t mint_ms, int64_t maxt_ms, Line* line, Samples* out);

  Reading reading_;
  RawCounters raw_counters_;
  Samples buffer_, counts_;
  std::vector<tsdb::ChunkView> views_;
};

}  // namespace gauntlet::downsample
