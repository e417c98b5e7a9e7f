#include "promql/exec/functions/elementwise.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "promql/exec/functions/scalar.h"
#include "promql/exec/rows/testing/empty_query.h"

namespace gauntlet::promql {
namespace {

// How much is done between two looks at the cancel, not how long that takes.
TEST(Stages, TheEndOfTheQueryIsSeenWithinOneRow) {
  EmptyQuery query;
  auto row = [] {
    Row r;
    r.column = Column(3 * kPollSteps);
    r.column.SetAllPresent();
    std::fill_n(r.column.values(), r.column.steps(), 1.0);
    return r;
  };
  auto stage = MakeNegate(query.context, false);
  Row whole = row(), cut = row();
  EXPECT_TRUE(stage->Apply(&whole, &query.scratch).ok());
  EXPECT_EQ(whole.column.values()[3 * kPollSteps - 1], -1);
  query.source.Stop();
  EXPECT_EQ(stage->Apply(&cut, &query.scratch).code(), Code::kCancelled);
  EXPECT_EQ(cut.column.values()[kPollSteps - 1], -1);
  EXPECT_EQ(cut.column.values()[kPollSteps], 1);
  std::vector<double> values;
  EXPECT_EQ(MakeConstant(query.context, 7, 3 * kPollSteps)->Evaluate(&values).code(), Code::kCancelled);
  EXPECT_EQ(values.size(), kPollSteps);
}

}  // namespace
}  // namespace gauntlet::promql
