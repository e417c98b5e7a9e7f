// MemoryStorage: a Queryable whose samples are plain columns in memory: the twin of a database, for tests and scripts.
//
// Threads: thread-safe, also appends beside reads. Queriers and series may outlive it.

#pragma once

#include <cstdint>
#include <memory>

#include "model/histogram.h"
#include "model/labels.h"
#include "storage/storage.h"

namespace gauntlet::storage {

class MemoryStorage : public Queryable {
 public:
  MemoryStorage();
  ~MemoryStorage() override;

  // In any order of time; a second sample at the same time replaces the first. `start_time_ms` 0 = unknown.
  void Append(LabelsView labels, int64_t time_ms, double value, int64_t start_time_ms = 0);
  void AppendHistogram(LabelsView labels, int64_t time_ms, Histogram histogram, int64_t start_time_ms = 0);
  void Clear();
  size_t series_count() const;

  // Selects give only series with a sample in the range of their hints.
  Result<std::unique_ptr<Querier>> MakeQuerier(int64_t mint_ms, int64_t maxt_ms) override;

  class Core;  // for the .cc file

 private:
  std::shared_ptr<Core> core_;
};

}  // namespace gauntlet::storage
