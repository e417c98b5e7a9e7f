// IndexHealth: what is wrong in the index of a block, in the kinds that compaction and repair tell apart.
//
// Upstream: thanos pkg/block/index.go (HealthStats)
// Threads:  a value and a free function.

#pragma once

#include <cstdint>
#include <string>

#include "base/cancel.h"
#include "base/status.h"
#include "tsdb/index/index_reader.h"

namespace gauntlet::blocks {

struct IndexHealth {
  int64_t series = 0, chunks = 0;
  int64_t out_of_order_series = 0, out_of_order_chunks = 0;
  int64_t duplicate_chunks = 0;  // of the out-of-order ones: the same times and the same place
  int64_t out_of_order_labels = 0;
  int64_t outside_chunks = 0;           // not all in [mint, maxt)
  int64_t complete_outside_chunks = 0;  // of them: no sample within
  int64_t touching_chunks = 0;          // of them: end at maxt exactly (prometheus/tsdb issue 347)
  int64_t series_bytes_max = 0, chunk_bytes_max = 0;

  // What only repair by hand solves.
  Status Critical() const;
  Status OutOfOrderChunks() const;
  // Any of it, in one text.
  Status Any() const;
};

// Walks all series. kCorrupt when the index does not read.
Result<IndexHealth> GatherIndexHealth(const tsdb::IndexReader& index, int64_t mint_ms, int64_t maxt_ms,
                                      const Cancel& cancel);

}  // namespace gauntlet::blocks
