#include "api/store_durations.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

namespace gauntlet::api {
namespace {

template <typename T>
Result<std::vector<T>> Ascending(const std::vector<std::string>& texts, const char* flag) {
  std::vector<T> values;
  for (const std::string& text : texts) {
    T value{};
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || (!values.empty() && value <= values.back())) {
      return Status(Code::kInvalid, std::string("--query.telemetry.") + flag + ": \"" + text +
                                        "\" is no number, or not above the one before");
    }
    values.push_back(value);
  }
  return values;
}

// The first bound above the value; the last one when there is none.
std::string BoundFor(uint64_t value, const std::vector<int64_t>& bounds) {
  if (bounds.empty()) return "0";
  auto at = std::upper_bound(bounds.begin(), bounds.end() - 1, static_cast<int64_t>(value));
  return std::to_string(*at);
}

}  // namespace

Result<StoreDurationBuckets> ParseStoreDurationBuckets(const std::vector<std::string>& seconds,
                                                       const std::vector<std::string>& samples,
                                                       const std::vector<std::string>& series) {
  StoreDurationBuckets buckets;
  GN_ASSIGN(buckets.seconds, Ascending<double>(seconds, "request-duration-seconds-quantiles"));
  GN_ASSIGN(buckets.samples, Ascending<int64_t>(samples, "request-samples-quantiles"));
  GN_ASSIGN(buckets.series, Ascending<int64_t>(series, "request-series-seconds-quantiles"));
  return buckets;
}

StoreDurations::StoreDurations(StoreDurationBuckets buckets, telemetry::Registry& registry)
    : buckets_(std::move(buckets)),
      durations_(registry.MakeHistograms("thanos_store_api_query_duration_seconds",
                                         "Duration of the Thanos Store API select phase for a query.",
                                         {"series_le", "samples_le", "tenant"}, buckets_.seconds)) {}

void StoreDurations::Observe(double seconds, std::span<const storeapi::FanoutEntry> fanout, const std::string& tenant) {
  uint64_t series = 0, samples = 0;
  for (const storeapi::FanoutEntry& entry : fanout) {
    series += entry.series;
    samples += entry.samples;
  }
  if (series == 0 || samples == 0) return;
  durations_.With({BoundFor(series, buckets_.series), BoundFor(samples, buckets_.samples), tenant}).Observe(seconds);
}

}  // namespace gauntlet::api
