// IndexCacheMetrics: what every index cache tells: thanos_store_index_cache_* and
// thanos_bucket_store_cached_postings_*.
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
  // Postings made smaller for a cache, and made postings again.
  struct Compression {
    explicit Compression(telemetry::Registry& registry);
    struct Operation {
      telemetry::Counter& done;
      telemetry::Counter& errors;
      telemetry::Counter& seconds;
    };
    Operation encode, decode;
    telemetry::Counter& original_bytes;
    telemetry::Counter& compressed_bytes;
  };
  explicit IndexCacheMetrics(telemetry::Registry& registry);
  Kind postings, expanded, series;
  Compression compression;
};

}  // namespace gauntlet::store
