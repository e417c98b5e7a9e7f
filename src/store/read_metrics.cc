#include "store/read_metrics.h"

#include <vector>

namespace gauntlet::store {
namespace {

const std::vector<double> kSeconds = {0.001, 0.01, 0.1, 0.3, 0.6, 1, 3, 6, 9, 20, 30, 60, 90, 120};
const std::vector<double> kPostingsBytes = {32,        256,     512,      1 << 10,   32 << 10,  256 << 10,
                                            512 << 10, 1 << 20, 32 << 20, 128 << 20, 256 << 20, 512 << 20};
constexpr char kTenant[] = "default-tenant";

telemetry::Counter& OfTenant(telemetry::Registry& registry, const char* name, const char* help) {
  return registry.MakeCounters(name, help, {"tenant"}).With({kTenant});
}

telemetry::Counter& Groups(telemetry::Registry& registry, const char* reason) {
  return registry
      .MakeCounters("thanos_bucket_store_lazy_expanded_posting_groups_total",
                    "Total number of posting groups that are marked as lazy and corresponding reason", {"reason"})
      .With({reason});
}

}  // namespace

ReadMetrics::ReadMetrics(telemetry::Registry& registry)
    : empty_postings(registry.MakeCounter("thanos_bucket_store_empty_postings_total",
                                          "Total number of empty postings when fetching block series.")),
      series_refetches(OfTenant(registry, "thanos_bucket_store_series_refetches_total",
                                "Total number of cases where configured estimated series bytes was not enough was to "
                                "fetch series from index, resulting in refetch.")),
      chunk_refetches(OfTenant(registry, "thanos_bucket_store_chunk_refetches_total",
                               "Total number of cases where configured estimated chunk bytes was not enough was to "
                               "fetch chunks from object store, resulting in refetch.")),
      postings_bytes(registry.MakeHistogram("thanos_bucket_store_postings_size_bytes",
                                            "Size in bytes of the postings for a single series call.", kPostingsBytes)),
      postings_seconds(registry.MakeHistogram(
          "thanos_bucket_store_postings_fetch_duration_seconds",
          "The time it takes to fetch postings to respond to a request sent to a store gateway.", kSeconds)),
      series_seconds(registry.MakeHistogram(
          "thanos_bucket_store_series_fetch_duration_seconds",
          "The time it takes to fetch series to respond to a request sent to a store gateway.", kSeconds)),
      chunks_seconds(registry.MakeHistogram(
          "thanos_bucket_store_chunks_fetch_duration_seconds",
          "The total time spent fetching chunks within a single request for one block.", kSeconds)),
      lazy_postings(registry.MakeCounter("thanos_bucket_store_lazy_expanded_postings_total",
                                         "Total number of times when lazy expanded posting optimization applies.")),
      lazy_bytes(registry.MakeCounter("thanos_bucket_store_lazy_expanded_posting_size_bytes_total",
                                      "Total number of lazy posting group size in bytes.")),
      lazy_overfetched_bytes(
          registry.MakeCounter("thanos_bucket_store_lazy_expanded_posting_series_overfetched_size_bytes_total",
                               "Total number of series size in bytes overfetched due to posting lazy expansion.")),
      lazy_by_size(Groups(registry, "postings_size")),
      lazy_by_keys(Groups(registry, "keys_limit")) {}

}  // namespace gauntlet::store
