#include "promql/exec/functions/elementwise.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "promql/exec/functions/scalar.h"
#include "storage/memory_storage.h"

namespace gauntlet::promql {
namespace {

// How much is done between two looks at the cancel, not how long that takes.
TEST(Stages, TheEndOfTheQueryIsSeenWithinOneRow) {
  storage::MemoryStorage storage;
  auto querier = storage.MakeQuerier(0, 1);
  ASSERT_TRUE(querier.ok());
  InlineExecutor executor;
  CancelSource source;
  ExecContext context{.cancel = source.cancel(),
                      .executor = executor,
                      .budget = nullptr,
                      .querier = **querier,
                      .options = {},
                      .meter = SampleMeter(0)};
  WorkerScratch scratch;
  scratch.context = &context;
  auto row = [] {
    Row r;
    r.column = Column(3 * kPollSteps);
    r.column.SetAllPresent();
    std::fill_n(r.column.values(), r.column.steps(), 1.0);
    return r;
  };
  auto stage = MakeNegate(context, false);
  Row whole = row(), cut = row();
  EXPECT_TRUE(stage->Apply(&whole, &scratch).ok());
  EXPECT_EQ(whole.column.values()[3 * kPollSteps - 1], -1);
  source.Stop();
  EXPECT_EQ(stage->Apply(&cut, &scratch).code(), Code::kCancelled);
  EXPECT_EQ(cut.column.values()[kPollSteps - 1], -1);
  EXPECT_EQ(cut.column.values()[kPollSteps], 1);
  std::vector<double> values;
  EXPECT_EQ(MakeConstant(context, 7, 3 * kPollSteps)->Evaluate(&values).code(), Code::kCancelled);
  EXPECT_EQ(values.size(), kPollSteps);
}

}  // namespace
}  // namespace gauntlet::promql
