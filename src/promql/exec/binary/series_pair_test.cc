#include "promql/exec/binary/series_pair.h"

#include <gtest/gtest.h>

#include "promql/exec/rows/testing/empty_query.h"

namespace gauntlet::promql {
namespace {

// How much is done between two looks at the cancel, not how long that takes.
TEST(SeriesPair, TheEndOfTheQueryIsSeenWithinOnePair) {
  for (BinaryOp op : {BinaryOp::kAdd, BinaryOp::kGreater}) {
    for (bool return_bool : {false, true}) {
      EmptyQuery query;
      BinaryNode node;
      node.op = op;
      node.return_bool = return_bool;
      node.grid.steps = 3 * kPollSteps;
      Column two(node.grid.steps), one(node.grid.steps);
      for (uint32_t step = 0; step < node.grid.steps; ++step) {
        two.Set(step, 2);
        one.Set(step, 1);
      }
      StepBits both(two.present(), two.present() + two.words());
      SeriesPair pair(query.context, node, false);
      auto whole = pair.Combine(&two, &one, 0, &both);
      ASSERT_TRUE(whole.ok());
      EXPECT_EQ(whole->CountFloats(), node.grid.steps);
      EXPECT_EQ(whole->values()[node.grid.steps - 1], op == BinaryOp::kAdd ? 3 : return_bool ? 1 : 2);
      query.source.Stop();
      EXPECT_EQ(pair.Combine(&two, &one, 0, &both).status().code(), Code::kCancelled);
    }
  }
}

}  // namespace
}  // namespace gauntlet::promql
