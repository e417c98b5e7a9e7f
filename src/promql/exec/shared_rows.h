// SharedRows: the rows of a part of the query that occurs more than once, made once.
//
// Threads: as Operator.

#pragma once

#include <memory>

#include "promql/exec/rows/operator.h"

namespace gauntlet::promql {

class SharedRows {
 public:
  // `scope` counts the samples below `input`; each reader adds them to its own, as if it had been run for it alone.
  SharedRows(ExecContext& context, const PlanNode& node, std::unique_ptr<Operator> input,
             std::unique_ptr<SampleScope> scope)
      : context_(context),
        node_(node),
        input_(std::move(input)),
        scope_(std::move(scope)),
        charge_(context.budget, node.title),
        reads_left_(node.uses) {}

 private:
  friend class SharedReader;
  // Runs the input, once. The same status each time.
  Status Fill();

  ExecContext& context_;
  const PlanNode& node_;
  std::unique_ptr<Operator> input_;
  std::unique_ptr<SampleScope> scope_;
  MemoryCharge charge_;
  Rows rows_;
  AnnotationSet annotations_;
  Status status_;
  bool filled_ = false;
  uint32_t reads_left_;  // by readers that have not ended, or are not made yet
};

// One of the readers. `scope`: where it is read.
std::unique_ptr<Operator> ReadShared(ExecContext& context, std::shared_ptr<SharedRows> shared, SampleScope* scope);

}  // namespace gauntlet::promql
