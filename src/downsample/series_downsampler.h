// SeriesDownsampler: the chunks of a series, raw or of a finer resolution, as aggregate chunks over windows of time.
//
// Stale markers and NaN vanish, also histograms whose sum is NaN. Floats, histograms with exponential and those with
// custom buckets never share an aggregate chunk. Raw samples are cut into batches at borders of windows; aggregates
// only at borders of chunks, so that a counter chunk still begins and ends with true raw values.
//
// Upstream: thanos pkg/compact/downsample (DownsampleRaw, downsampleAggr): the same bytes, where it does not fail or
//           lose windows
// Threads:  one thread at a time.       Owns: buffers, reused between series.

#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "downsample/float_windows.h"
#include "downsample/histogram_windows.h"
#include "model/samples.h"
#include "tsdb/chunkenc/aggr_chunk.h"
#include "tsdb/chunkenc/chunk.h"
#include "tsdb/chunkenc/transcode.h"

namespace gauntlet::downsample {

// A chunk of the source. Borrows the bytes.
struct TimedChunk {
  int64_t mint_ms = 0, maxt_ms = 0;
  tsdb::ChunkView chunk;
};

class SeriesDownsampler {
 public:
  // From raw samples (0) or a finer resolution. REQUIRES: from_resolution_ms < resolution_ms
  SeriesDownsampler(int64_t from_resolution_ms, int64_t resolution_ms);

  // Appends the aggregate chunks of one series, in order of time; none when nothing is left of it. The chunks are in
  // order and do not overlap, else kCorrupt; so, too, when their bytes do not decode.
  Status Downsample(std::span<const TimedChunk> chunks, std::vector<tsdb::EncodedChunk>* out);

 private:
  enum class Kind : uint8_t { kFloats, kExponential, kCustom };
  struct Input {
    int64_t mint_ms = 0, maxt_ms = 0;
    Kind kind = Kind::kFloats;
    tsdb::AggrChunkView parts;
  };
  using Output = std::vector<tsdb::EncodedChunk>;

  Status FromRaw(std::span<const TimedChunk> chunks, Output* out);
  // What was decoded into samples_, floats or histograms.
  Status RawSamples(int64_t resolution_ms, Output* out);
  Status RawFloats(int64_t resolution_ms, Output* out);
  void RawHistograms(std::span<const TimedHistogram> histograms, int64_t resolution_ms, Output* out);

  Status FromAggregates(std::span<const TimedChunk> chunks, Output* out);
  Status CollectInputs(std::span<const TimedChunk> chunks);
  static Result<Input> MakeInput(int64_t mint_ms, int64_t maxt_ms, std::string_view bytes);
  // Inputs of one kind.
  Status AggregateRun(std::span<const Input> run, Output* out);
  Status FloatBatch(std::span<const Input> batch, Output* out);
  Status HistogramBatch(std::span<const Input> batch, Output* out);
  static Status DecodePart(std::span<const Input> batch, tsdb::Aggregate aggregate, Samples* samples);

  const int64_t from_resolution_ms_, resolution_ms_;
  Samples samples_, sums_;
  FloatWindows windows_;
  std::vector<int64_t> batch_times_;
  std::vector<double> batch_values_;
  std::vector<TimedHistogram> histograms_, batch_histograms_;
  std::vector<Input> inputs_;
  Output repaired_;  // raw chunks among aggregates
};

}  // namespace gauntlet::downsample
