// SpillSort: sorts a stream of any size by labels: chunks wait in an unlinked temporary file, only labels stay in
// memory.
//
// For answers whose order is lost, because a label that the series carry themselves is removed or replaced.
//
// Threads: one thread at a time.              Owns: the file, which is gone with it, and with the process.

#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/memory_budget.h"
#include "base/status.h"
#include "model/labels.h"
#include "storeapi/series_batch.h"

namespace gauntlet::storeapi {

class SpillSort {
 public:
  // The file is made in `folder` at the first Add. `budget` (may be null) is charged for the labels.
  SpillSort(std::string folder, MemoryBudget* budget);
  ~SpillSort();
  SpillSort(const SpillSort&) = delete;
  SpillSort& operator=(const SpillSort&) = delete;

  Status Add(Labels labels, std::span<const wire::ChunkView> chunks);
  // No more series come.
  Status Sort();
  // The next series in order, some at a time; null at the end. Equal labels keep the order of Add.
  Result<SeriesBatchPtr> Next();

 private:
  struct Entry {
    Labels labels;
    uint64_t offset;
    uint32_t bytes, chunks;
  };

  Status Write();

  const std::string folder_;
  MemoryCharge charge_;
  int file_ = -1;
  uint64_t written_ = 0;
  std::string buffer_;
  std::vector<Entry> entries_;
  size_t next_ = 0;
};

}  // namespace gauntlet::storeapi
