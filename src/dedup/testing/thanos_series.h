// Test data: StoreAPI answers of two replicas that upstream published (shared fixtures/thanos-dedup), and what its
// querier makes of them. The engine's tests use it too.

#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "tsdb/chunkenc/aggr_chunk.h"

namespace gauntlet::dedup {

struct ThanosSeries {
  std::vector<std::pair<std::string, std::string>> labels;
  std::vector<std::string> bytes;  // of each chunk; all are XOR
  std::vector<std::pair<int64_t, int64_t>> ranges;

  // Borrows the bytes.
  std::vector<tsdb::SeriesChunk> Chunks() const;
};

struct ThanosAnswer {
  std::string query, algorithm;
  int64_t start_ms = 0, end_ms = 0;
  int64_t step_ms = 0;  // 0: an instant query of the last hour's raw samples
  bool dedup = false;
  std::vector<std::vector<std::pair<int64_t, double>>> result;  // the values of each series
};

// The folder, or empty when the shared test data is not there: skip the test then.
std::string ThanosDedupFolder();
// "issue2401-seriesresponses.json" or "issue2890-seriesresponses.json".
std::vector<ThanosSeries> LoadThanosSeries(const std::string& file);
// issue2401-answers.jsonl
std::vector<ThanosAnswer> LoadThanosAnswers();

}  // namespace gauntlet::dedup
