// ReadMetrics: what reading blocks from the bucket costs, by Thanos' names.
//
// Threads: thread-safe; a FetchTimer is for one thread.

#pragma once

#include <chrono>

#include "telemetry/metrics.h"

namespace gauntlet::store {

struct ReadMetrics {
  explicit ReadMetrics(telemetry::Registry& registry);

  telemetry::Counter& empty_postings;
  telemetry::Counter& series_refetches;
  telemetry::Counter& chunk_refetches;
  telemetry::Histogram& postings_bytes;
  telemetry::Histogram& postings_seconds;
  telemetry::Histogram& series_seconds;
  telemetry::Histogram& chunks_seconds;
  telemetry::Counter& lazy_postings;
  telemetry::Counter& lazy_bytes;
  telemetry::Counter& lazy_overfetched_bytes;
  telemetry::Counter& lazy_by_size;
  telemetry::Counter& lazy_by_keys;
};

// Observes how long it lived.
class FetchTimer {
 public:
  // Null: nothing is observed.
  explicit FetchTimer(telemetry::Histogram* histogram) : histogram_(histogram) {}
  ~FetchTimer() {
    if (histogram_ != nullptr)
      histogram_->Observe(std::chrono::duration<double>(std::chrono::steady_clock::now() - begun_).count());
  }
  FetchTimer(const FetchTimer&) = delete;
  FetchTimer& operator=(const FetchTimer&) = delete;

 private:
  telemetry::Histogram* const histogram_;
  const std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
};

}  // namespace gauntlet::store
