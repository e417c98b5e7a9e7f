// Downsampling of a bucket: which blocks are due, and one block made into another of a lower resolution.
//
// Upstream: thanos cmd/thanos/downsample.go
// Threads:  free functions; DownsampleJobs is thread-safe.

#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/status.h"
#include "compactor/group.h"
#include "compactor/output.h"
#include "tsdb/compact/fault.h"

namespace gauntlet::compactor {

inline constexpr int64_t kFiveMinutesMs = 300'000, kOneHourMs = 3'600'000;
// Spans from which on a block is made into one of 5m or 1h.
inline constexpr int64_t kDownsampleTo5mFromMs = 40 * kOneHourMs, kDownsampleTo1hFromMs = 10 * 24 * kOneHourMs;

struct DownsampleTask {
  blocks::MetaPtr block;
  int64_t resolution_ms = 0;  // of the result
};
// Blocks that are long enough, and of which some source is in no block of the next resolution; by id.
std::vector<DownsampleTask> DueDownsampling(const blocks::MetaMap& metas);

struct DownsampleOptions {
  std::string work_dir;  // DATA/downsample
  OutputOptions output;
};

class DownsampleJobs {
 public:
  DownsampleJobs(DownsampleOptions options, const JobContext& context, Executor& workers);

  // The block in the bucket; null when no sample was left.
  Result<blocks::MetaPtr> Run(const DownsampleTask& task, const Cancel& cancel, tsdb::BlockFault* fault);

 private:
  Result<blocks::MetaPtr> Make(const DownsampleTask& task, const Ulid& id, const Cancel& cancel,
                               tsdb::BlockFault* fault);

  const DownsampleOptions options_;
  const JobContext context_;
  Executor& workers_;
};

}  // namespace gauntlet::compactor
