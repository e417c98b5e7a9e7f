// SampleEncoder: samples as chunks of at most 120, cut where upstream's encoder cuts them when it merges chunks.
//
// Upstream: prometheus storage/series.go (seriesToChunkEncoder)
// Threads:  one thread at a time.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/samples.h"
#include "tsdb/chunkenc/histogram_appender.h"
#include "tsdb/chunkenc/transcode.h"
#include "tsdb/chunkenc/xor.h"
#include "tsdb/chunkenc/xor2.h"

namespace gauntlet::tsdb {

class SampleEncoder {
 public:
  static constexpr size_t kSamplesMax = 120;

  // Floats without start times become XOR2 chunks if `xor2`, else XOR. Chunks are appended to `out`.
  SampleEncoder(bool xor2, size_t samples_max, std::vector<EncodedChunk>* out)
      : xor2_(xor2), samples_max_(samples_max), out_(*out) {}

  // REQUIRES: times ascend.
  void Append(const Samples& samples);
  // Closes the last chunk.
  void Finish() { Cut(); }

 private:
  void Append(int64_t start_ms, int64_t t_ms, double v);
  void Append(int64_t start_ms, int64_t t_ms, const Histogram& h);
  void Begin(Encoding encoding, int64_t t_ms);
  void Cut();

  const bool xor2_;
  const size_t samples_max_;
  std::vector<EncodedChunk>& out_;
  Encoding open_ = Encoding::kNone;  // of the chunk being written
  size_t count_ = 0;                 // its samples
  int64_t mint_ms_ = 0, maxt_ms_ = 0;
  XorAppender xor_chunk_;
  Xor2Appender xor2_chunk_;
  std::optional<HistogramAppender> histograms_;
};

// The chunk again without the samples outside of the given ones: in its own encoding, and in one chunk unless its
// histograms need more. `samples` are what is left of it.
void EncodeRest(Encoding encoding, const Samples& samples, std::vector<EncodedChunk>* out);

}  // namespace gauntlet::tsdb
