#include <gtest/gtest.h>

#include <memory>
#include <utility>

#include "promql/exec/aggregate/aggregate.h"
#include "promql/exec/rows/testing/empty_query.h"

namespace gauntlet::promql {
namespace {

// Yields one row with a float at every step; the query is over from then on.
class LastRow : public Operator {
 public:
  LastRow(ExecContext& context, const PlanNode& node, CancelSource& source)
      : Operator(context, node), source_(source) {}
  Result<bool> Next(Rows* batch) override {
    batch->clear();
    if (std::exchange(done_, true)) return false;
    Row& row = batch->emplace_back();
    row.labels = Labels::From({{"l", "1"}});
    row.column = Column(node_.grid.steps);
    row.column.SetAllPresent();
    source_.Stop();
    return true;
  }

 private:
  CancelSource& source_;
  bool done_ = false;
};

class Two : public ScalarOperator {
 public:
  explicit Two(uint32_t steps) : steps_(steps) {}
  Status Evaluate(std::vector<double>* values) override {
    values->assign(steps_, 2);
    return Status();
  }

 private:
  const uint32_t steps_;
};

TEST(Limit, TheEndOfTheQueryIsSeenWithinOneRow) {
  for (AggregateOp op : {AggregateOp::kLimitK, AggregateOp::kLimitRatio}) {
    EmptyQuery query;
    AggregateNode node;
    node.op = op;
    node.grid.steps = 3 * kPollSteps;
    node.param = std::make_shared<NumberNode>();
    auto limit = MakeLimit(query.context, node, std::make_unique<Two>(node.grid.steps),
                           std::make_unique<LastRow>(query.context, node, query.source));
    Rows rows;
    EXPECT_EQ(limit->Next(&rows).status().code(), Code::kCancelled);
  }
}

}  // namespace
}  // namespace gauntlet::promql
