// ChunkData: series in memory as encoded chunks of 120 samples, as a head or a block has them, for benchmarks.
//
// Threads: reads are thread-safe once all series are added.

#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "storage/storage.h"
#include "tsdb/chunkenc/transcode.h"

namespace gauntlet::promql {

class ChunkData : public storage::Queryable {
 public:
  // Encodes the samples.
  void Add(Labels labels, const Samples& samples);
  // REQUIRES: after the last Add(), before the first query.
  void Sort();
  int64_t last_ms() const { return last_ms_; }

  Result<std::unique_ptr<storage::Querier>> MakeQuerier(int64_t mint_ms, int64_t maxt_ms) override;

  struct Data {
    Labels labels;
    std::vector<tsdb::EncodedChunk> chunks;
  };

 private:
  class DataQuerier;
  std::vector<Data> series_;
  int64_t last_ms_ = 0;
};

}  // namespace gauntlet::promql
