#include "store/caches/index_cache_metrics.h"

#include <vector>

namespace gauntlet::store {
namespace {

constexpr char kTenant[] = "default-tenant";
const std::vector<double> kBytes = {32,      256,      512,      1 << 10,   32 << 10,  256 << 10, 512 << 10,
                                    1 << 20, 32 << 20, 64 << 20, 128 << 20, 256 << 20, 512 << 20};
const std::vector<double> kSeconds = {0.01, 0.1, 0.3, 0.6, 1, 3, 6, 10, 15, 20, 30, 45, 60, 90, 120};

IndexCacheMetrics::Kind MakeKind(telemetry::Registry& registry, std::string_view type) {
  std::vector<std::string> labels = {"item_type", "tenant"};
  return {registry
              .MakeCounters("thanos_store_index_cache_requests_total", "Total number of items requests to the cache.",
                            labels)
              .With({type, kTenant}),
          registry
              .MakeCounters("thanos_store_index_cache_hits_total",
                            "Total number of items requests to the cache that were a hit.", labels)
              .With({type, kTenant}),
          registry
              .MakeHistograms("thanos_store_index_cache_stored_data_size_bytes",
                              "Histogram to track item data size stored in index cache", labels, kBytes)
              .With({type, kTenant}),
          registry
              .MakeHistograms("thanos_store_index_cache_fetch_duration_seconds",
                              "Histogram to track latency to fetch items from index cache", labels, kSeconds)
              .With({type, kTenant})};
}

IndexCacheMetrics::Compression::Operation MakeOperation(telemetry::Registry& registry, std::string_view op) {
  const std::vector<std::string> labels = {"op", "tenant"};
  return {registry
              .MakeCounters("thanos_bucket_store_cached_postings_compressions_total",
                            "Number of postings compressions before storing to index cache.", labels)
              .With({op, kTenant}),
          registry
              .MakeCounters("thanos_bucket_store_cached_postings_compression_errors_total",
                            "Number of postings compression errors.", labels)
              .With({op, kTenant}),
          registry
              .MakeCounters("thanos_bucket_store_cached_postings_compression_time_seconds_total",
                            "Time spent compressing postings before storing them into postings cache.", labels)
              .With({op, kTenant})};
}

}  // namespace

IndexCacheMetrics::Compression::Compression(telemetry::Registry& registry)
    : encode(MakeOperation(registry, "encode")),
      decode(MakeOperation(registry, "decode")),
      original_bytes(registry
                         .MakeCounters("thanos_bucket_store_cached_postings_original_size_bytes_total",
                                       "Original size of postings stored into cache.", {"tenant"})
                         .With({kTenant})),
      compressed_bytes(registry
                           .MakeCounters("thanos_bucket_store_cached_postings_compressed_size_bytes_total",
                                         "Compressed size of postings stored into cache.", {"tenant"})
                           .With({kTenant})) {}

IndexCacheMetrics::IndexCacheMetrics(telemetry::Registry& registry)
    : postings(MakeKind(registry, "Postings")),
      expanded(MakeKind(registry, "ExpandedPostings")),
      series(MakeKind(registry, "Series")),
      compression(registry) {}

}  // namespace gauntlet::store
