#include "store/store_metrics.h"

#include <vector>

namespace gauntlet::store {
namespace {

const std::vector<double> kCallSeconds = {0.001, 0.01, 0.1, 0.3, 0.6, 1, 3, 6, 9, 20, 30, 60, 90, 120};
const std::vector<double> kCounts = {1, 10, 100, 1'000, 10'000, 100'000, 1'000'000, 10'000'000};
const std::vector<double> kBytes = {1 << 10, 32 << 10, 1 << 20, 32 << 20, 256 << 20, 1 << 30};
const std::vector<double> kSentChunkBytes = {32,        256,     512,      1 << 10,   32 << 10, 256 << 10,
                                             512 << 10, 1 << 20, 32 << 20, 256 << 20, 512 << 20};

}  // namespace

StoreMetrics::StoreMetrics(telemetry::Registry& registry)
    : block_loads(registry.MakeCounter("thanos_bucket_store_block_loads_total",
                                       "Total number of remote block loading attempts.")),
      block_load_failures(registry.MakeCounter("thanos_bucket_store_block_load_failures_total",
                                               "Total number of failed remote block loading attempts.")),
      block_drops(registry.MakeCounter("thanos_bucket_store_block_drops_total",
                                       "Total number of local blocks that were dropped.")),
      block_drop_failures(registry.MakeCounter("thanos_bucket_store_block_drop_failures_total",
                                               "Total number of local blocks that failed to be dropped.")),
      blocks_loaded(registry.MakeGauge("thanos_bucket_store_blocks_loaded", "Number of currently loaded blocks.")),
      last_loaded_seconds(registry.MakeGauge("thanos_bucket_store_blocks_last_loaded_timestamp_seconds",
                                             "Timestamp when last block got loaded.")),
      data_touched(registry, "thanos_bucket_store_series_data_touched",
                   "Number of items of a data type touched to fulfill a single Store API series request.",
                   {"data_type", "tenant"}, kCounts),
      data_fetched(registry, "thanos_bucket_store_series_data_fetched",
                   "Number of items of a data type retrieved to fulfill a single Store API series request.",
                   {"data_type", "tenant"}, kCounts),
      data_bytes_touched(
          registry, "thanos_bucket_store_series_data_size_touched_bytes",
          "Total size of items of a data type touched to fulfill a single Store API series request in Bytes.",
          {"data_type", "tenant"}, kBytes),
      data_bytes_fetched(
          registry, "thanos_bucket_store_series_data_size_fetched_bytes",
          "Total size of items of a data type fetched to fulfill a single Store API series request in Bytes.",
          {"data_type", "tenant"}, kBytes),
      blocks_queried(registry, "thanos_bucket_store_series_blocks_queried",
                     "Number of blocks in a bucket store that were touched to satisfy a query.", {"tenant"},
                     {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024}),
      result_series(registry, "thanos_bucket_store_series_result_series",
                    "Number of series observed in the final result of a query.", {"tenant"}, kCounts),
      dropped(registry.MakeCounters("thanos_bucket_store_queries_dropped_total",
                                    "Number of queries that were dropped due to the limit.", {"reason", "tenant"})),
      get_all_seconds(registry.MakeHistogram(
          "thanos_bucket_store_series_get_all_duration_seconds",
          "Time it takes until all per-block prepares and loads for a query are finished.", kCallSeconds)),
      merge_seconds(registry.MakeHistogram(
          "thanos_bucket_store_series_merge_duration_seconds",
          "Time it takes to merge sub-results from all queried blocks into a single result.", kCallSeconds)),
      sent_chunk_bytes(registry.MakeHistogram("thanos_bucket_store_sent_chunk_size_bytes",
                                              "Size in bytes of the chunks for the single series, which is adequate to "
                                              "the gRPC message size sent to querier.",
                                              kSentChunkBytes)) {
  // There from the start, for dashboards.
  constexpr char kTenant[] = "default-tenant";
  for (const char* type : {"postings", "series", "chunks"}) {
    for (CallHistograms* data : {&data_touched, &data_fetched, &data_bytes_touched, &data_bytes_fetched})
      data->With({type, kTenant});
  }
  blocks_queried.With({kTenant});
  result_series.With({kTenant});
}

}  // namespace gauntlet::store
