#include "promql/exec/rows/merge.h"

#include <gtest/gtest.h>

#include "promql/exec/rows/testing/empty_query.h"

namespace gauntlet::promql {
namespace {

TEST(Merge, DisjointRowsOfEqualLabelsAreOne) {
  EmptyQuery query;
  Rows rows(3);
  for (size_t i = 0; i < 3; ++i) {
    rows[i].labels = Labels::From({{"l", i == 1 ? "other" : "same"}});
    rows[i].column = Column(4);
    rows[i].column.Set(static_cast<uint32_t>(2 - i), static_cast<double>(i));
    rows[i].drop_name = i == 2;
  }
  ASSERT_TRUE(MergeSameLabels(query.context, &rows, MergedName::kOfFirstStep).ok());
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_TRUE(rows[0].column.Has(0));
  EXPECT_TRUE(rows[0].column.Has(2));
  EXPECT_TRUE(rows[0].drop_name);
  rows.emplace_back();
  rows[2].labels = rows[0].labels;
  rows[2].column = Column(4);
  rows[2].column.Set(2, 9);
  EXPECT_EQ(MergeSameLabels(query.context, &rows, MergedName::kOfFirstStep).message(),
            "vector cannot contain metrics with the same labelset");
}

TEST(Merge, TheEndOfTheQueryIsSeenWithinOneColumn) {
  EmptyQuery query;
  Column even(3 * kPollSteps), odd(3 * kPollSteps);
  for (uint32_t step = 0; step < even.steps(); ++step) (step % 2 == 0 ? even : odd).Set(step, step);
  query.source.Stop();
  EXPECT_EQ(MergeColumns(query.context, &even, std::move(odd)).code(), Code::kCancelled);
  EXPECT_TRUE(even.Has(kPollSteps - 1));
  EXPECT_FALSE(even.Has(kPollSteps + 1));
}

}  // namespace
}  // namespace gauntlet::promql
