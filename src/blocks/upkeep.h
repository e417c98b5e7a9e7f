// Upkeep of a bucket: blocks that were marked go after a delay, uploads that were given up go, old data is marked.
//
// Upstream: thanos pkg/compact/{blocks_cleaner,clean,retention}.go
// Threads:  free functions; they block until their end. What one block's trouble stops is only that block.

#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <vector>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/executor.h"
#include "base/status.h"
#include "base/ulid.h"
#include "blocks/markers.h"
#include "blocks/meta_fetcher.h"
#include "objstore/bucket.h"
#include "telemetry/log.h"

namespace gauntlet::blocks {

struct UpkeepContext {
  objstore::Bucket& bucket;
  Executor& executor;
  Clock& clock;
  telemetry::Logger& logger;
};

struct UpkeepResult {
  std::vector<Ulid> done;  // ascending
  int failed = 0;
  Status first_error;
};

// An upload without meta.json that did not change for so long was given up.
inline constexpr std::chrono::hours kPartialUploadAge{48};

// The marks of blocks without a meta.json: their deletion was broken off, and is to be finished.
std::map<Ulid, Marker> BrokenOffDeletions(const UpkeepContext& context, const std::map<Ulid, Status>& partial,
                                          const Cancel& cancel);
// Deletes blocks whose mark is older than the delay.
UpkeepResult DeleteMarkedBlocks(const UpkeepContext& context, const std::map<Ulid, Marker>& marks,
                                std::chrono::milliseconds delay, const Cancel& cancel);
// Deletes partial blocks whose newest object is older than `age`, but for those in `marks`, which the above deletes.
UpkeepResult CleanPartialUploads(const UpkeepContext& context, const std::map<Ulid, Status>& partial,
                                 const std::map<Ulid, Marker>& marks, std::chrono::milliseconds age,
                                 const Cancel& cancel);
// Marks blocks that end longer ago than the retention of their resolution (milliseconds; 0 or absent = for ever).
UpkeepResult ApplyRetention(const UpkeepContext& context, const MetaMap& metas,
                            const std::map<int64_t, std::chrono::milliseconds>& retention, const Cancel& cancel);

}  // namespace gauntlet::blocks
