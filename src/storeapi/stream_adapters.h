// Streams around streams: reading ahead, keeping one shard, dropping labels and sorting again, cutting at a limit.
//
// Threads: like every SeriesStream, one thread at a time; ReadAhead pulls its inner stream on an executor.

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "storeapi/request.h"
#include "storeapi/store.h"

namespace gauntlet {
class Executor;
class MemoryBudget;
}  // namespace gauntlet

namespace gauntlet::storeapi {

struct ReadAheadLimits {
  size_t batches_max = 20;
  // Of batches waiting; one batch may go over. Enough to keep an endpoint busy while another's answer is taken, and
  // little enough to be read from the cache of the processor that parsed it.
  size_t bytes_max = 8 << 20;
};

// Pulls `inner` in the background, so that many endpoints answer, and their frames are parsed, at the same time. `call`
// is the source of the cancel that `inner` works under: it is stopped when the reader goes away early.
std::unique_ptr<SeriesStream> ReadAhead(std::unique_ptr<SeriesStream> inner, std::shared_ptr<CancelSource> call,
                                        Executor& executor, ReadAheadLimits limits);

// Only the series of the shard.
std::unique_ptr<SeriesStream> KeepShard(std::unique_ptr<SeriesStream> inner, ShardInfo shard);

// For stores that do not know without_replica_labels: takes the whole answer, drops the labels, sorts, and gives it out
// again. What it holds is charged to `budget` (may be null).
std::unique_ptr<SeriesStream> DropLabelsAndSort(std::unique_ptr<SeriesStream> inner, std::vector<std::string> labels,
                                                MemoryBudget* budget);

// Counts what passes and ends with kExhausted "exceeded series limit: limit 10 violated (got 11)" (or "samples", at 120
// a chunk, as Thanos counts them); 0 = no limit.
std::unique_ptr<SeriesStream> EnforceLimits(std::unique_ptr<SeriesStream> inner, uint64_t series_max,
                                            uint64_t samples_max);

}  // namespace gauntlet::storeapi
