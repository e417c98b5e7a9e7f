#include "promql/exec/rows/row.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace gauntlet::promql {
namespace {

using ::testing::ElementsAre;

TEST(Column, PresenceIsByStep) {
  Column column(130);
  EXPECT_TRUE(column.empty());
  column.Set(0, 1);
  column.Set(64, 2);
  column.Set(129, 3);
  std::vector<uint32_t> steps;
  ForEachBit(column.present(), column.words(), [&](uint32_t step) { steps.push_back(step); });
  EXPECT_THAT(steps, ElementsAre(0, 64, 129));
  column.Clear(64);
  EXPECT_FALSE(column.Has(64));
  EXPECT_EQ(column.CountFloats(), 2u);
  column.SetAllPresent();
  EXPECT_TRUE(column.AllFloats());
  EXPECT_EQ(column.present()[2], 3u);  // nothing beyond the last step
}

TEST(Column, PresenceOfARangeLeavesTheRest) {
  for (auto [begin, end] :
       {std::pair{0u, 64u}, {0u, 1u}, {63u, 65u}, {5u, 130u}, {64u, 128u}, {129u, 130u}, {7u, 7u}}) {
    Column column(130);
    column.SetPresent(begin, end);
    for (uint32_t step = 0; step < 130; ++step) EXPECT_EQ(column.Has(step), step >= begin && step < end) << step;
    EXPECT_EQ(column.CountFloats(), end - begin);
  }
}

TEST(Column, CopyAndMoveKeepEverything) {
  Column column(70);
  column.Set(69, 5);
  column.histograms().push_back({3, std::make_shared<Histogram>()});
  Column copy = column.Copy();
  Column moved = std::move(column);
  EXPECT_EQ(column.steps(), 0u);
  for (const Column* c : {&copy, &moved}) {
    EXPECT_EQ(c->values()[69], 5);
    EXPECT_NE(c->FindHistogram(3), nullptr);
    EXPECT_EQ(c->FindHistogram(4), nullptr);
  }
  std::vector<uint64_t> bits(2);
  copy.OrPresence(bits.data());
  EXPECT_THAT(bits, ElementsAre(8, 32));
}

}  // namespace
}  // namespace gauntlet::promql
