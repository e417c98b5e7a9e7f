// For benchmarks: series in memory as encoded chunks of 120 samples, as a head or a block has them, and queries over
// them.
//
// Threads: reads are thread-safe once all series are added.

#pragma once

#include <benchmark/benchmark.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
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

struct RangeTimes {
  int64_t start_ms, end_ms, step_ms;
};
// Evaluates the query over and over; counts the memory that it held at most, in kB. One thread: the caller's.
void RunRangeQuery(benchmark::State& state, ChunkData& data, const std::string& expr, const RangeTimes& times,
                   size_t threads = 1);

// A query, and the milliseconds that Prometheus 3.14 needs for it.
struct Anchor {
  const char* expr;
  double prometheus_ms;
};
using RunQuery = void (*)(benchmark::State& state, const std::string& expr);
// Registers a benchmark for each query, named after it.
void RegisterQueries(std::span<const Anchor> anchors, std::span<const char* const> others, RunQuery run);

}  // namespace gauntlet::promql
