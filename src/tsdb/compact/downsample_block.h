// DownsampleBlock: a block of windows of time, with aggregates, made of a raw or finer one, a series at a time.
//
// Symbols stay those of the source, also of series that have no number left and are left out. The caller makes the sink
// with the meta of the new block: the source's with another ulid, and in its "thanos" section the resolution and the
// source "compactor". Counts follow; those of float and histogram samples stay the raw block's.
//
// Upstream: thanos pkg/compact/downsample/{downsample,streamed_block_writer}.go
// Threads:  a free function; it blocks until its end.

#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "base/cancel.h"
#include "base/executor.h"
#include "base/status.h"
#include "tsdb/block/block_meta.h"
#include "tsdb/compact/fault.h"
#include "tsdb/compact/sink.h"
#include "tsdb/compact/source.h"

namespace gauntlet::tsdb {

struct DownsampleOptions {
  int64_t from_resolution_ms = 0;                    // of the source: 0 = raw
  int64_t resolution_ms = 300'000;                   // greater
  Executor* executor = nullptr;                      // downsamples series side by side; null: on the caller's thread
  std::function<void(uint64_t series)> on_progress;  // told now and then, on the caller's thread, how many were read
};

// Reads the source to its end into the sink, and finishes it. Nothing when no sample is left: then the sink is not
// finished. On an error that the block is to blame for, *fault (may be null) says where.
Result<std::optional<BlockMeta>> DownsampleBlock(BlockSource& source, const DownsampleOptions& options, BlockSink& sink,
                                                 const Cancel& cancel, BlockFault* fault = nullptr);

}  // namespace gauntlet::tsdb
