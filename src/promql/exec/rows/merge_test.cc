#include "promql/exec/rows/merge.h"

#include <gtest/gtest.h>

namespace gauntlet::promql {
namespace {

TEST(Merge, DisjointRowsOfEqualLabelsAreOne) {
  Rows rows(3);
  for (size_t i = 0; i < 3; ++i) {
    rows[i].labels = Labels::From({{"l", i == 1 ? "other" : "same"}});
    rows[i].column = Column(4);
    rows[i].column.Set(static_cast<uint32_t>(2 - i), static_cast<double>(i));
    rows[i].drop_name = i == 2;
  }
  ASSERT_TRUE(MergeSameLabels(&rows, MergedName::kOfFirstStep).ok());
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_TRUE(rows[0].column.Has(0));
  EXPECT_TRUE(rows[0].column.Has(2));
  EXPECT_TRUE(rows[0].drop_name);
  rows.emplace_back();
  rows[2].labels = rows[0].labels;
  rows[2].column = Column(4);
  rows[2].column.Set(2, 9);
  EXPECT_EQ(MergeSameLabels(&rows, MergedName::kOfFirstStep).message(),
            "vector cannot contain metrics with the same labelset");
}

}  // namespace
}  // namespace gauntlet::promql
