// StoreMetrics: what the gateway tells of its work, by Thanos' names.
//
// Threads: thread-safe.

#pragma once

#include "store/call_histograms.h"
#include "telemetry/metrics.h"

namespace gauntlet::store {

struct StoreMetrics {
  explicit StoreMetrics(telemetry::Registry& registry);

  telemetry::Counter& block_loads;
  telemetry::Counter& block_load_failures;
  telemetry::Counter& block_drops;
  telemetry::Counter& block_drop_failures;
  telemetry::Gauge& blocks_loaded;
  telemetry::Gauge& last_loaded_seconds;
  // By data type (postings, series, chunks) and tenant, a call each.
  CallHistograms data_touched, data_fetched, data_bytes_touched, data_bytes_fetched;
  CallHistograms blocks_queried, result_series;   // by tenant
  telemetry::Family<telemetry::Counter> dropped;  // by reason, tenant
  telemetry::Histogram& get_all_seconds;
  telemetry::Histogram& merge_seconds;
  telemetry::Histogram& sent_chunk_bytes;
};

}  // namespace gauntlet::store
