// Range selection: a range function over the samples of stored series, or over the rows of a subquery.
//
// Upstream: prometheus promql/engine.go (eval of a Call with a matrix argument)
// Threads:  shared by all workers once open.

#pragma once

#include <memory>
#include <vector>

#include "promql/exec/histograms/histogram_statistics.h"
#include "promql/exec/range/range_function.h"
#include "promql/exec/rows/name_dropper.h"
#include "promql/exec/rows/operator.h"
#include "promql/exec/rows/stage.h"
#include "promql/exec/select/scan.h"

namespace gauntlet::promql {

// Evaluates the call at each step of a window series.
class RangeEvaluator {
 public:
  RangeEvaluator(ExecContext& context, const RangeFunctionNode& node, std::vector<std::unique_ptr<ScalarOperator>> args,
                 bool careful);
  Status Open();
  // Makes the row of the series with these samples (which it may change). `drop_name`: asked for below already.
  Status Evaluate(LabelsView labels, bool drop_name, Samples* samples, Row* row, WorkerScratch* scratch) const;
  void Annotate(AnnotationSet* out) const;

 private:
  WindowReads StatisticsReads() const;
  void NoteNonCounter(LabelsView labels, WorkerScratch* scratch) const;

  const RangeFunctionNode& node_;
  const ExecOptions options_;
  std::unique_ptr<RangeFunction> function_;
  std::vector<std::unique_ptr<ScalarOperator>> args_;
  NameDropper dropper_;
  WindowSpec spec_;
  bool histogram_statistics_ = false;
  RangeCall call_;
  bool keeps_name_, expects_counter_, anchors_ = false;
};

WindowEnds EndsOf(const MatrixSelectNode& node);

std::unique_ptr<SeriesReader> MakeRangeReader(std::unique_ptr<RangeEvaluator> evaluator);
// For rows on the subquery's grid.
std::unique_ptr<Stage> MakeRangeStage(std::unique_ptr<RangeEvaluator> evaluator, StepGrid inner);

}  // namespace gauntlet::promql
