// SeriesIntake: the series of several blocks side by side, each with what every block has of it.
//
// Series are met in the order of a heap over the sources that moves as upstream's does, since the order in which equal
// series of several blocks are met decides which sample counts where their chunks overlap.
//
// Upstream: prometheus tsdb/compact.go (PopulateBlock), storage/merge.go (genericMergeSeriesSet)
// Threads:  one thread at a time.

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/cancel.h"
#include "base/status.h"
#include "tsdb/compact/fault.h"
#include "tsdb/compact/go_heap.h"
#include "tsdb/compact/sink.h"
#include "tsdb/compact/source.h"
#include "tsdb/compact/symbol_merge.h"

namespace gauntlet::tsdb {

// A series of the new block, before its chunks are merged. Reused, so that its buffers are allocated once.
struct TakenSeries {
  std::vector<uint32_t> labels;     // by numbers of the sink's symbols
  std::vector<SourceSeries> parts;  // the first parts_used of them
  size_t parts_used = 0;
  std::vector<uint32_t> sources;  // of each part, its place among the sources

  std::span<const SourceSeries> all() const { return std::span(parts).first(parts_used); }
  // Lets go of what the parts view.
  void Clear() {
    for (size_t i = 0; i < parts_used; ++i) parts[i].Clear();
  }
};

class SeriesIntake {
 public:
  // All are borrowed. REQUIRES: the times of the sink's meta stay.
  SeriesIntake(std::span<const std::unique_ptr<BlockSource>> sources, BlockSink& sink, const Cancel& cancel)
      : sources_(sources),
        sink_(sink),
        cancel_(cancel),
        mint_ms_(sink.meta().mint_ms),
        maxt_ms_(sink.meta().maxt_ms - 1),
        heap_(LabelsBefore{&cursors_}) {}

  // Reads the symbols of all sources into the sink, and the first series of each.
  Status Start();
  size_t memory_bytes() const { return maps_.memory_bytes(); }

  bool empty() const { return heap_.empty(); }
  // Replaces *out by the next series; *bytes grows by what its chunks take. REQUIRES: not empty.
  Status Take(TakenSeries* out, size_t* bytes);

  // Of the last error: which block is to blame.
  const BlockFault& fault() const { return fault_; }
  // The error with the block and series that it is about, in words and in *fault.
  Status Blame(FaultKind kind, size_t source, Status status, std::span<const uint32_t> labels, BlockFault* fault) const;

 private:
  // A source and the series it stands on.
  struct Cursor {
    BlockSource* source = nullptr;
    const std::vector<uint32_t>* numbers = nullptr;  // of the sink, by those of the source
    bool started = false;
    std::vector<uint32_t> labels;  // by numbers of the sink
    SourceSeries series;
  };
  struct LabelsBefore {
    const std::vector<Cursor>* cursors;
    bool operator()(size_t a, size_t b) const {
      return std::ranges::lexicographical_compare((*cursors)[a].labels, (*cursors)[b].labels);
    }
  };

  // To the next series of the source of which anything is left; false at the end.
  Result<bool> Advance(size_t source);
  // For an error of the source itself, which names the block already.
  Status BlameSource(size_t source, Status status);

  const std::span<const std::unique_ptr<BlockSource>> sources_;
  BlockSink& sink_;
  const Cancel& cancel_;
  const int64_t mint_ms_, maxt_ms_;
  SymbolMaps maps_;
  std::vector<Cursor> cursors_;
  GoHeap<size_t, LabelsBefore> heap_;
  std::vector<size_t> popped_;
  std::vector<uint32_t> last_;  // labels, while the next ones are read
  BlockFault fault_;
};

}  // namespace gauntlet::tsdb
