// Evaluation: a plan made into operators and run.
//
//   Evaluation evaluation(context, plan, per_step_stats);
//   GN_TRY(evaluation.Run(&out));
//
// Threads: one thread at a time; uses the context's executor.   Borrows: the plan and the context.

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "promql/exec/rows/annotation_set.h"
#include "promql/exec/rows/context.h"
#include "promql/exec/rows/operator.h"
#include "promql/exec/rows/row.h"
#include "promql/plan/planner.h"

namespace gauntlet::promql {

struct EvaluationOutput {
  Rows rows;                   // of a vector; of a scalar one row without labels
  std::vector<RawSeries> raw;  // of a range vector, unsorted
  std::string string;
};

class Builder;

class Evaluation {
 public:
  // Asks the storage for all selectors; kUnsupported for what cannot be run yet.
  static Result<std::unique_ptr<Evaluation>> Make(ExecContext& context, const Plan& plan, bool per_step_stats);
  ~Evaluation();

  // `charge` takes over what `out` holds.
  Status Run(EvaluationOutput* out, MemoryCharge* charge);
  // What was said so far, also after an error.
  void Annotate(AnnotationSet* out) const;
  const SampleScope& samples() const { return *scope_; }

 private:
  explicit Evaluation(ExecContext& context, const Plan& plan);
  Status RunRange(EvaluationOutput* out, MemoryCharge* charge);
  Status RunSubquery(EvaluationOutput* out, MemoryCharge* charge);
  Status FinishNames(Rows* rows) const;

  ExecContext& context_;
  const Plan& plan_;
  std::unique_ptr<Builder> builder_;
  std::unique_ptr<SampleScope> scope_;
  std::unique_ptr<Operator> root_;
  AnnotationSet raw_annotations_;
};

}  // namespace gauntlet::promql
