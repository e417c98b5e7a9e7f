#include "model/samples.h"

#include <gtest/gtest.h>

#include "model/sift_samples.h"

namespace gauntlet {
namespace {

TEST(Samples, AppendRangeMovesHistogramsAndFillsStartTimes) {
  Samples from, out;
  for (int i = 0; i < 6; ++i) {
    from.times_ms.push_back(i);
    from.values.push_back(10 * i);
  }
  Histogram h;
  for (uint32_t i : {1u, 3u, 4u}) {
    h.count = i;
    from.histograms.push_back({i, h});
  }
  AppendRange(from, 0, 2, &out);
  EXPECT_TRUE(out.start_times_ms.empty());
  from.start_times_ms = {1, 2, 3, 4, 5, 6};
  AppendRange(from, 3, 5, &out);
  from.start_times_ms.clear();
  AppendRange(from, 5, 6, &out);
  AppendRange(from, 2, 2, &out);
  EXPECT_EQ(out.times_ms, (std::vector<int64_t>{0, 1, 3, 4, 5}));
  EXPECT_EQ(out.values, (std::vector<double>{0, 10, 30, 40, 50}));
  EXPECT_EQ(out.start_times_ms, (std::vector<int64_t>{0, 0, 4, 5, 0}));
  ASSERT_EQ(out.histograms.size(), 3u);
  EXPECT_EQ(out.histograms[0].position, 1u);
  EXPECT_EQ(out.histograms[1].position, 2u);
  EXPECT_EQ(out.histograms[2].position, 3u);
  EXPECT_EQ(out.histograms[2].histogram.count, 4);
}

TEST(SiftColumns, LeavesTheSameRowsOfAllColumns) {
  Samples samples;
  samples.times_ms = {1, 2, 3, 4};
  samples.values = {10, 20, 30, 40};
  samples.start_times_ms = {5, 6, 7, 8};
  std::vector<size_t> places;
  SiftColumns(&samples, [&](size_t i, size_t to) {
    places.push_back(to);
    return i % 2 == 1;
  });
  EXPECT_EQ(samples.times_ms, (std::vector<int64_t>{2, 4}));
  EXPECT_EQ(samples.values, (std::vector<double>{20, 40}));
  EXPECT_EQ(samples.start_times_ms, (std::vector<int64_t>{6, 8}));
  EXPECT_EQ(places, (std::vector<size_t>{0, 0, 1, 1}));
  samples.start_times_ms.clear();
  SiftColumns(&samples, [](size_t, size_t) { return true; });
  EXPECT_EQ(samples.values, (std::vector<double>{20, 40}));
  EXPECT_TRUE(samples.start_times_ms.empty());
}

}  // namespace
}  // namespace gauntlet
