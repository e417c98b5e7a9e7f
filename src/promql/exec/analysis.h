// Analysis: what each operator of a query cost, for EXPLAIN ANALYZE.
//
// Threads: of the thread that pulls the operators.

#pragma once

#include <memory>
#include <unordered_map>

#include "base/clock.h"
#include "promql/exec/rows/operator.h"
#include "promql/plan/explain.h"

namespace gauntlet::promql {

class Analysis {
 public:
  explicit Analysis(Clock& clock) : clock_(clock) {}
  Clock& clock() const { return clock_; }
  OperatorCost& cost(const PlanNode& node) { return costs_[&node]; }
  // The plan with the costs of what was run.
  Explanation Explain(const PlanNode& root) const;

 private:
  Clock& clock_;
  std::unordered_map<const PlanNode*, OperatorCost> costs_;
};

// Passes rows on and adds what they cost to the analysis. Keeps stages from being fused into the scan below it, so that
// each operator shows.
std::unique_ptr<Operator> Measure(ExecContext& context, const PlanNode& node, std::unique_ptr<Operator> input);

}  // namespace gauntlet::promql
