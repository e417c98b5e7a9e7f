// Replicator: blocks of one bucket to another, the oldest first, each meta.json after its other files.
//
// Upstream: thanos pkg/replicate
// Threads:  one thread at a time.

#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/cancel.h"
#include "base/executor.h"
#include "base/status.h"
#include "blocks/meta_fetcher.h"
#include "model/matcher.h"
#include "objstore/bucket.h"
#include "telemetry/log.h"
#include "telemetry/metrics.h"

namespace gauntlet::blocks {

struct ReplicationFilter {
  std::vector<Ulid> ids;  // these and no others; the rest of the filter does not count then
  Matchers matchers;      // on external labels
  std::vector<int64_t> resolutions_ms = {0, 300'000, 3'600'000};
  std::vector<int> levels = {1, 2, 3, 4};
  bool Matches(const Meta& meta) const;
};

class Replicator {
 public:
  // All is borrowed.
  Replicator(ReplicationFilter filter, MetaFetcher& fetcher, objstore::Bucket& from, objstore::Bucket& to,
             Executor& executor, telemetry::Registry& registry, telemetry::Logger& logger);
  // One pass; the first error ends it, so that what arrives is in order.
  Status Run(const Cancel& cancel);

 private:
  Status Replicate(const Ulid& id, const Cancel& cancel);
  Status CopyObject(const std::string& name, uint64_t bytes, const Cancel& cancel);

  const ReplicationFilter filter_;
  MetaFetcher& fetcher_;
  objstore::Bucket& from_;
  objstore::Bucket& to_;
  Executor& executor_;
  telemetry::Logger& logger_;
  telemetry::Counter& already_replicated_;
  telemetry::Counter& blocks_replicated_;
  telemetry::Counter& objects_replicated_;
  telemetry::Family<telemetry::Counter> runs_;
  telemetry::Family<telemetry::Histogram> run_seconds_;
};

}  // namespace gauntlet::blocks
