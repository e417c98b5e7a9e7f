#include "tsdb/chunkenc/columns.h"

#include <gtest/gtest.h>

namespace gauntlet::tsdb {
namespace {

// Times as given; value 10 t, but a histogram with that count where t is odd.
Samples Make(std::vector<int64_t> times) {
  Samples s;
  for (int64_t t : times) {
    if (t % 2) {
      Histogram h;
      h.count = static_cast<double>(10 * t);
      s.histograms.push_back({static_cast<uint32_t>(s.times_ms.size()), h});
    }
    s.times_ms.push_back(t);
    s.values.push_back(static_cast<double>(10 * t));
    s.start_times_ms.push_back(t - 1);
  }
  return s;
}

void ExpectConsistent(const Samples& s) {
  ASSERT_EQ(s.values.size(), s.size());
  ASSERT_EQ(s.start_times_ms.size(), s.size());
  auto h = s.histograms.begin();
  for (size_t i = 0; i < s.size(); ++i) {
    EXPECT_EQ(s.values[i], 10.0 * static_cast<double>(s.times_ms[i]));
    EXPECT_EQ(s.start_times_ms[i], s.times_ms[i] - 1);
    if (s.times_ms[i] % 2 == 0) continue;
    ASSERT_NE(h, s.histograms.end());
    EXPECT_EQ(h->position, i);
    EXPECT_EQ(h->histogram.count, s.values[i]);
    ++h;
  }
  EXPECT_EQ(h, s.histograms.end());
}

TEST(Columns, CutKeepsWhatWasThereBefore) {
  Samples s = Make({1, 2, 3, 4, 5, 6, 7});
  CutToRange(3, 5, 6, &s);
  EXPECT_EQ(s.times_ms, (std::vector<int64_t>{1, 2, 3, 5, 6}));
  ExpectConsistent(s);
  CutToRange(5, 100, 200, &s);
  EXPECT_EQ(s.size(), 5u);
  CutToRange(2, 100, 200, &s);
  EXPECT_EQ(s.times_ms, (std::vector<int64_t>{1, 2}));
  ExpectConsistent(s);
}

TEST(Columns, SamplesThatGoBackAreDropped) {
  Samples s = Make({9, 3, 4, 1, 4, 7, 5, 6, 7, 8});
  KeepAscending(1, &s);
  EXPECT_EQ(s.times_ms, (std::vector<int64_t>{9, 3, 4, 4, 7, 7, 8}));
  ExpectConsistent(s);
}

TEST(Columns, DropTailForgetsHistogramsToo) {
  Samples s = Make({1, 2, 3, 5});
  DropTail(1, &s);
  EXPECT_EQ(s.times_ms, (std::vector<int64_t>{1}));
  ExpectConsistent(s);
}

}  // namespace
}  // namespace gauntlet::tsdb
