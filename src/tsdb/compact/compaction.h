// Compaction: several blocks into one, a series at a time.
//
// Chunks that overlap no other are copied as they are, without being decoded. Where chunks of a series overlap, their
// samples are merged and encoded anew, at most 120 in a chunk. Deleted samples are left out.
//
// Upstream: prometheus tsdb/compact.go (PopulateBlock), storage/merge.go; thanos pkg/dedup/chunk_iter.go
// Threads:  a free function; it blocks until its end.

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>

#include "base/cancel.h"
#include "base/executor.h"
#include "base/memory_budget.h"
#include "base/status.h"
#include "tsdb/block/block_meta.h"
#include "tsdb/compact/fault.h"
#include "tsdb/compact/sink.h"
#include "tsdb/compact/source.h"

namespace gauntlet::tsdb {

enum class MergeKind : uint8_t {
  kChain,         // the union; of samples at one time, the one that upstream's iterators would choose
  kPenalty,       // replicas: stays on one, and takes from another what the first one has no samples for
  kPenaltyExact,  // Thanos' way to the byte, with the samples that it loses where groups of overlapping chunks end
};

struct CompactOptions {
  MergeKind kind = MergeKind::kChain;
  // Merges series side by side; null: on the caller's thread. Sources and sink are then used by one thread at a time,
  // but not always the same.
  Executor* executor = nullptr;
  // Chunks of one source that overlap or go back are merged like those of several, instead of being an error.
  bool accept_unordered_chunks = false;
  // Told from time to time, by one thread at a time, how many series are written.
  std::function<void(uint64_t series)> on_progress;
  MemoryBudget* budget = nullptr;  // null = uncounted
};

// Reads the sources to their end, in order of their start, into the sink, and finishes it. Nothing when no sample is
// left: then the sink is not finished. REQUIRES: the meta of the sink spans that of the sources.
//
// On an error that a block is to blame for, kCorrupt or kUnsupported, *fault (may be null) says which.
Result<std::optional<BlockMeta>> CompactBlocks(std::span<const std::unique_ptr<BlockSource>> sources,
                                               const CompactOptions& options, BlockSink& sink, const Cancel& cancel,
                                               BlockFault* fault = nullptr);

}  // namespace gauntlet::tsdb
