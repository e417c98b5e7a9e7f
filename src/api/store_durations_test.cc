#include "api/store_durations.h"

#include <gtest/gtest.h>

namespace gauntlet::api {
namespace {

storeapi::FanoutEntry Entry(uint64_t series, uint64_t samples) {
  storeapi::FanoutEntry entry;
  entry.series = series;
  entry.samples = samples;
  return entry;
}

TEST(StoreDurations, AQueryIsCountedByTheSizeOfWhatItsStoresGave) {
  telemetry::Registry registry;
  StoreDurations durations({{0.5, 1}, {100, 1000}, {10, 100}}, registry);
  std::vector<storeapi::FanoutEntry> two = {Entry(6, 90), Entry(6, 20)};
  durations.Observe(0.7, two, "t");
  std::vector<storeapi::FanoutEntry> large = {Entry(5000, 1'000'000)};
  durations.Observe(0.1, large, "t");
  std::vector<storeapi::FanoutEntry> exact = {Entry(10, 100)};
  durations.Observe(0.1, exact, "t");
  std::string text = registry.Expose(false);
  const std::string name = "thanos_store_api_query_duration_seconds";
  EXPECT_NE(text.find(name + R"(_bucket{samples_le="1000",series_le="100",tenant="t",le="1"} 3)"), std::string::npos)
      << text;
  EXPECT_NE(text.find(name + R"(_count{samples_le="1000",series_le="100",tenant="t"} 3)"), std::string::npos) << text;
}

TEST(StoreDurations, NothingGivenIsNotCounted) {
  telemetry::Registry registry;
  StoreDurations durations({}, registry);
  durations.Observe(1, {}, "t");
  EXPECT_EQ(registry.Expose(false).find("_count{"), std::string::npos);
}

TEST(StoreDurations, BucketsThatDoNotAscendAreRefused) {
  EXPECT_TRUE(ParseStoreDurationBuckets({"0.1", "5"}, {"10"}, {}).ok());
  EXPECT_FALSE(ParseStoreDurationBuckets({"5", "0.1"}, {"10"}, {"1"}).ok());
  EXPECT_FALSE(ParseStoreDurationBuckets({"0.1"}, {"ten"}, {"1"}).ok());
  EXPECT_EQ(ParseStoreDurationBuckets({"0.1"}, {"10"}, {"1.5"}).status().message(),
            "--query.telemetry.request-series-seconds-quantiles: \"1.5\" is no number, or not above the one before");
}

}  // namespace
}  // namespace gauntlet::api
