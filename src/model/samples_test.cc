#include "model/samples.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace gauntlet
