// IndexCacheMetrics: what every index cache tells: thanos_store_index_cache_*.
//
// Threads: thread-safe.

#pragma once

#include "telemetry/metrics.h"

namespace gauntlet::store {

struct IndexCacheMetrics {
  struct Kind {
    telemetry::Counter& requests;
    telemetry::Counter& hits;
    telemetry::Histogram& data_bytes;
    telemetry::Histogram& fetch_seconds;
  };
  explicit IndexCacheMetrics(telemetry::Registry& registry);
  Kind postings, expanded, series;
};

}  // namespace gauntlet::store
