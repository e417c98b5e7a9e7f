// SymbolMaps: the symbols of several blocks merged into those of a new one; of each block, what its numbers became.
//
// Upstream: prometheus tsdb/querier.go (NewMergedStringIter)
// Threads:  immutable.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/cancel.h"
#include "base/status.h"
#include "tsdb/compact/sink.h"
#include "tsdb/compact/source.h"

namespace gauntlet::tsdb {

class SymbolMaps {
 public:
  // Reads the symbols of all sources to their end and adds them to the sink. On an error, *failed is the source.
  static Result<SymbolMaps> Merge(std::span<const std::unique_ptr<BlockSource>> sources, BlockSink& sink,
                                  const Cancel& cancel, size_t* failed);

  // By the source's numbers: those of the sink.
  const std::vector<uint32_t>& of(size_t source) const { return maps_[source]; }
  size_t memory_bytes() const;

 private:
  std::vector<std::vector<uint32_t>> maps_;
};

}  // namespace gauntlet::tsdb
