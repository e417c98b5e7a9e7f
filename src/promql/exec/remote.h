// Remote rows: what leaves evaluate of a query, as an operator; and what asks them, as an interface.
//
// All leaves are asked when the operator is made, so that all parts of a query are under way at the same time.
//
// Threads: a RemoteEvaluator belongs to one query, and starts calls from one thread; calls run where they like.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancel.h"
#include "base/memory_budget.h"
#include "base/status.h"
#include "promql/exec/rows/operator.h"
#include "promql/plan/leaves.h"

namespace gauntlet::promql {

struct RemoteQuery {
  uint32_t leaf = 0;  // among Leaves::leaves
  std::string text;
  StepGrid grid;            // in whole seconds
  int64_t lookback_ms = 0;  // also
  std::string_view title;   // for errors on memory; outlives the call
};

struct RemoteAnswer {
  explicit RemoteAnswer(MemoryBudget* budget, std::string_view title) : charge(budget, title) {}
  Status status;
  // The leaf was reached and could, or would, not evaluate: what is wrong is found out here.
  bool refused = false;
  Rows rows;
  // Of PromQL as the leaf words them, with places in the text; others as they are to be shown.
  std::vector<std::string> warnings;
  int64_t samples = 0;  // read by the leaf
  MemoryCharge charge;  // for the rows
};

class RemoteCall {
 public:
  // Ends the call if it is under way.
  virtual ~RemoteCall() = default;
  // Waits for the end of the call, which comes with that of the query at the latest. Call once.
  virtual std::unique_ptr<RemoteAnswer> Take() = 0;
};

class RemoteEvaluator {
 public:
  virtual ~RemoteEvaluator() = default;
  virtual const Leaves& leaves() const = 0;
  virtual std::unique_ptr<RemoteCall> Start(RemoteQuery query, const Cancel& cancel, MemoryBudget* budget) = 0;
};

// A series of an answer as a row on `grid`; kCorrupt when its samples lie elsewhere.
Result<Row> RowOf(LabelsView labels, const Samples& samples, const StepGrid& grid);

// REQUIRES: the context has a RemoteEvaluator.
std::unique_ptr<Operator> MakeRemoteRows(ExecContext& context, const RemoteNode& node, SampleScope* scope);

}  // namespace gauntlet::promql
