// StoreDurations: how long queries took, by how much the stores gave for them.
//
// Upstream: thanos pkg/store/telemetry.go
// Threads:  thread-safe.

#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "storeapi/proxy.h"
#include "telemetry/metrics.h"

namespace gauntlet::api {

// --query.telemetry.*
struct StoreDurationBuckets {
  std::vector<double> seconds = {0.1, 0.25, 0.75, 1.25, 1.75, 2.5, 3, 5, 10};
  std::vector<int64_t> samples = {100, 1000, 10'000, 100'000, 1'000'000};
  std::vector<int64_t> series = {10, 100, 1000, 10'000, 100'000};
};

// Reads the flags' values; kInvalid when one is no number, or they do not ascend.
Result<StoreDurationBuckets> ParseStoreDurationBuckets(const std::vector<std::string>& seconds,
                                                       const std::vector<std::string>& samples,
                                                       const std::vector<std::string>& series);

class StoreDurations {
 public:
  StoreDurations(StoreDurationBuckets buckets, telemetry::Registry& registry);
  // A query that took so long, with all that the endpoints gave to its selects. Nothing given: not counted.
  void Observe(double seconds, std::span<const storeapi::FanoutEntry> fanout, const std::string& tenant);

 private:
  const StoreDurationBuckets buckets_;
  telemetry::Family<telemetry::Histogram> durations_;
};

}  // namespace gauntlet::api
