#include "promql/exec/histograms/histogram_statistics.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "model/stale.h"
#include "promql/exec/histograms/testing/histograms.h"

namespace gauntlet::promql {
namespace {

Samples AtTenSeconds(const std::vector<Histogram>& histograms) {
  Samples samples;
  for (size_t i = 0; i < histograms.size(); ++i) {
    samples.times_ms.push_back(static_cast<int64_t>(i) * 10'000);
    samples.values.push_back(0);
    samples.histograms.push_back({static_cast<uint32_t>(i), histograms[i]});
  }
  return samples;
}

std::vector<ResetHint> Hints(const Samples& samples) {
  std::vector<ResetHint> hints;
  for (const HistogramSample& h : samples.histograms) hints.push_back(h.histogram.reset_hint);
  return hints;
}

TEST(HistogramStatistics, HintsComeFromTheBucketsBeforeTheseGo) {
  constexpr auto kU = ResetHint::kUnknown, kR = ResetHint::kReset, kN = ResetHint::kNotReset, kG = ResetHint::kGauge;
  Histogram moved = Simple(9);
  moved.positive_spans = {{5, 1}};  // more than before, but elsewhere
  Histogram stale = Simple(0);
  stale.sum = StaleNaN();
  Samples samples = AtTenSeconds({Simple(1), Simple(2), moved, stale, Simple(1), Simple(1, kG), Simple(3)});
  KeepStatistics({{0, 10'000, 7}, 0, 60'000}, &samples);
  EXPECT_EQ(Hints(samples), (std::vector<ResetHint>{kU, kN, kR, kU, kR, kG, kN}));
  EXPECT_TRUE(samples.histograms[3].histogram.stale());
  for (const HistogramSample& h : samples.histograms) EXPECT_TRUE(h.histogram.positive_buckets.empty());
  EXPECT_EQ(samples.histograms[2].histogram.count, 9);
}

TEST(HistogramStatistics, AfterAJumpNothingIsKnown) {
  constexpr auto kU = ResetHint::kUnknown, kN = ResetHint::kNotReset;
  // Windows of 15 s at 20 s, 50 s, 80 s: between them samples that are jumped over.
  Samples samples = AtTenSeconds(std::vector<Histogram>(10, Simple(1)));
  KeepStatistics({{20'000, 30'000, 3}, 0, 15'000}, &samples);
  EXPECT_EQ(Hints(samples), (std::vector<ResetHint>{kU, kN, kN, kN, kU, kN, kN, kU, kN, kN}));
}

}  // namespace
}  // namespace gauntlet::promql
